import { type TestGateOptions, testGate } from '../../src/testing.ts'
import type { AdmitOptions, Answered, ApprovalRecord, Call, Gate, ToolDefinition } from '../../src/types.ts'

/** Small refunds run; for larger ones so many of finance must say yes. */
export const asksFinance = (quorum = 1) => `
@id("small") permit (principal, action == Action::"shop/refund", resource) when { context.arguments.amount <= 500 };
@id("large") @requires("approval:finance") @quorum("${quorum}") @refusal("Refunds above 500 need approval from finance.")
permit (principal, action == Action::"shop/refund", resource);
`

export const refundTool: ToolDefinition = {
  name: 'refund',
  origin: 'own',
  inputSchema: {
    type: 'object',
    properties: { amount: { type: 'integer' }, note: { type: 'string' } },
    required: ['amount'],
  },
}

/** A shop whose support agent makes refunds for Alice; Bob and Carol are of finance. */
export function shop(options: TestGateOptions & { readonly quorum?: number } = {}) {
  const { quorum = 1, ...rest } = options
  const gate = testGate({
    policy: asksFinance(quorum),
    server: 'shop',
    tools: { refund: { materiality: 'high', surface: 'financial' } },
    ...rest,
  })
  gate.register([refundTool])
  return { gate, ...people(gate) }
}

export function people(gate: Gate) {
  const finance = (user: string) => gate.as({ user, roles: ['finance'] }, { channel: 'page' })
  return {
    alice: gate.as({ user: 'alice', agent: 'support' }, { conversation: 'c1', channel: 'chat' }),
    bob: finance('bob'),
    carol: finance('carol'),
    finance,
  }
}

let calls = 0
/** A call that was not made before. */
export function refundOf(amount = 900, more: Partial<Call> = {}): Call {
  calls += 1
  return { tool: 'refund', input: { amount }, callId: `call ${calls}`, step: 1, ...more }
}

/** The request that a call waits for. */
export async function askedBy(
  view: Gate,
  call: Call = refundOf(),
  options: AdmitOptions = {},
): Promise<ApprovalRecord> {
  const admission = await view.admit(call, { wait: false, ...options })
  if (admission.outcome === 'permitted' || admission.request === undefined) throw new Error('nobody was asked')
  return admission.request
}

/** Says yes to what was shown. */
export async function yes(view: Gate, { ref, shown }: ApprovalRecord): Promise<Answered> {
  return await view.answer(ref, 'approved', { shown })
}

/** What becomes of a call, run to its end: `ran`, or the code of its refusal; and what its tool was called with. */
export async function fateOf(view: Gate, call: Call = refundOf()): Promise<{ fate: string; inputs: unknown[] }> {
  const inputs: unknown[] = []
  const result = await view.run(call, (input) => void inputs.push(input), { wait: false })
  return { fate: result.outcome === 'ran' ? 'ran' : result.refusal.code, inputs }
}
