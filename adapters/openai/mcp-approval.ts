import type { Gate, PermittedAdmission, Refusal } from '../../src/index.ts'
import { asksInChat } from '../shared/hearing.ts'
import { journalOf } from '../shared/journal.ts'
import type { HostItem } from './host.ts'

/** How long after its approval a call of a hosted MCP server may turn up, ms: whoever asks for no further response never hears of it. */
const LONGEST_CALL_MS = 10 * 60_000
/** Approved calls that one gate waits for. */
const MOST_APPROVED = 1_000

interface Approved {
  readonly admission: PermittedAdmission
  readonly timer: ReturnType<typeof setTimeout>
}

/** By request id: what was approved and has not turned up as a call. */
const approved = new WeakMap<Gate, Map<string, Approved>>()

/** What a hosted MCP server's call is answered with. */
export type McpAnswer = { readonly approve: true } | { readonly approve: false; readonly refusal: Refusal }

/**
 * Decides a call of an MCP server that OpenAI holds for an approval (`require_approval`). A yes is a permit that has begun: the call
 * runs there once, with these very arguments, and its outcome is written when its `mcp_call` comes back.
 */
export async function answerMcp(request: HostItem, gate: Gate, signal: AbortSignal | undefined): Promise<McpAnswer> {
  const { id = '', name = '', arguments: text = '', server_label: server = '' } = request
  const admission = await gate.admit(
    { tool: name, server, inputText: text, callId: id },
    { wait: !asksInChat(gate), ...(signal === undefined ? {} : { signal }) },
  )
  const record = journalOf(gate).note(id, name, admission)
  if (admission.outcome === 'refused') return { approve: false, refusal: admission.refusal }
  const begun = admission.begin()
  if (begun.outcome === 'refused') {
    record.refusal = begun.refusal
    return { approve: false, refusal: begun.refusal }
  }
  await remember(gate, id, admission)
  return { approve: true }
}

/** Did we approve this call? Then its outcome is written here. */
export async function settleMcp(items: readonly HostItem[], gate: Gate): Promise<ReadonlySet<HostItem>> {
  const ours = new Set<HostItem>()
  for (const item of items) {
    const { type, approval_request_id: id, error, output } = item
    if (type !== 'mcp_call' || typeof id !== 'string') continue
    const known = approved.get(gate)?.get(id)
    if (known === undefined) continue
    ours.add(item)
    approved.get(gate)?.delete(id)
    clearTimeout(known.timer)
    const failed = error !== undefined && error !== null
    const receipt = await known.admission.settle(
      failed ? { status: 'tool_error', error } : { status: 'ok', result: known.admission.reveal(output) },
    )
    if (receipt !== undefined) journalOf(gate).find(id)?.receipts.push(receipt)
  }
  return ours
}

async function remember(gate: Gate, id: string, admission: PermittedAdmission): Promise<void> {
  const waiting = approved.get(gate) ?? new Map<string, Approved>()
  approved.set(gate, waiting)
  const lost = async () => {
    waiting.delete(id)
    await admission.settle({ status: 'timeout' })
  }
  const timer = setTimeout(() => void lost(), LONGEST_CALL_MS)
  timer.unref()
  waiting.set(id, { admission, timer })
  for (const [oldest, each] of waiting) {
    if (waiting.size <= MOST_APPROVED) break
    waiting.delete(oldest)
    clearTimeout(each.timer)
    await each.admission.settle({ status: 'timeout' })
  }
}
