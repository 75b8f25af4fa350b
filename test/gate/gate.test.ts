import { describe, expect, it } from 'vitest'
import { actingAs } from '../../src/index.ts'
import { withDeadline } from '../../src/store/deadline.ts'
import { createMemoryStore, faultStore, type TestGateOptions, testGate } from '../../src/testing.ts'
import type { Gate, Json, ToolDefinition } from '../../src/types.ts'
import { verifyReceipts } from '../../src/verify.ts'
import { answerBy, said } from '../support/approvals.ts'
import { PERMIT, scriptedPoint } from '../support/scripted-point.ts'

const schema = {
  type: 'object',
  properties: { amount: { type: 'number' }, path: { type: 'string' } },
  additionalProperties: false,
} as const
const tools: readonly ToolDefinition[] = [
  { name: 'read', inputSchema: schema, origin: 'own', declared: { materiality: 'low', surface: 'read' } },
  { name: 'write', inputSchema: schema, origin: 'own', declared: { materiality: 'medium', surface: 'internal-write' } },
  { name: 'refund', inputSchema: schema, origin: 'own', declared: { materiality: 'high', surface: 'financial' } },
]

function gateWith(options: TestGateOptions = {}) {
  const gate = testGate(options)
  gate.register(tools)
  return { gate, me: gate.as({ user: 'alice', agent: 'support' }, { conversation: 'c1' }) }
}

function executions() {
  const inputs: Json[] = []
  const execute = (input: Json) => {
    inputs.push(input)
    return 'done'
  }
  return { inputs, execute }
}

async function refusedCode(me: Gate, call: Parameters<Gate['admit']>[0]) {
  const admission = await me.admit(call)
  return admission.outcome === 'refused' ? admission.refusal.code : admission.outcome
}

describe('the pass', () => {
  it('runs a permitted call once, with a decision and an outcome receipt', async () => {
    const { gate, me } = gateWith()
    const { inputs, execute } = executions()
    const ran = await me.run({ tool: 'refund', callId: '1', input: { amount: 5 } }, execute)
    expect(ran).toMatchObject({ outcome: 'ran', result: 'done', failedOpen: false })
    expect(inputs).toEqual([{ amount: 5 }])
    expect((await gate.receipts()).map((receipt) => receipt.kind)).toEqual(['open', 'decision', 'outcome'])
  })

  it('refuses a tool it does not know, and repeats no name that no tool can have', async () => {
    const { me } = gateWith()
    const { inputs, execute } = executions()
    const ran = await me.run({ tool: '\u202Erm -rf <b>', callId: '1', input: {} }, execute)
    expect(ran).toMatchObject({ outcome: 'refused', refusal: { code: 'tool_unknown', tool: 'test/(unprintable)' } })
    expect(await refusedCode(me, { tool: 'constructor', callId: '2', input: {} })).toBe('tool_unknown')
    expect(inputs).toEqual([])
  })

  it('refuses arguments that miss the schema or have no canonical form, naming the path, before any policy', async () => {
    let asked = 0
    const policy = () => {
      asked += 1
      return 'permit'
    }
    const { me } = gateWith({ policy })
    const cyclic: Record<string, unknown> = {}
    cyclic['path'] = cyclic
    for (const [input, path] of [
      [{ amount: 'five' }, '/amount'],
      [{ amount: Number.NaN }, '/amount'],
      [{ amount: 10n }, '/amount'],
      [{ path: '\uD800' }, '/path'],
      [{ extra: 1 }, '/extra'],
      [
        {
          get path() {
            return 'x'
          },
        },
        '/path',
      ],
      [{ toJSON: () => ({}) }, '/toJSON'],
    ] as const) {
      const admission = await me.admit({ tool: 'write', callId: path, input })
      expect(admission).toMatchObject({ outcome: 'refused', refusal: { code: 'arguments_rejected' } })
      expect(admission.outcome === 'refused' && admission.refusal.constraints[0]?.path).toBe(path)
    }
    expect(await refusedCode(me, { tool: 'write', callId: 'c', input: cyclic })).toBe('arguments_rejected')
    expect(await refusedCode(me, { tool: 'write', callId: 't', inputText: '{"path":"a","path":"b"}' })).toBe(
      'arguments_rejected',
    )
    expect(
      await refusedCode(me, { tool: 'write', callId: 'e', input: { __entity: { type: 'User', id: 'alice' } } }),
    ).toBe('arguments_rejected')
    expect(asked).toBe(0)
  })

  it('gives the tool the snapshot when the caller changes the arguments afterwards', async () => {
    const { me } = gateWith()
    const { inputs, execute } = executions()
    const input = { path: '/safe' }
    const running = me.run({ tool: 'write', callId: '1', input }, execute)
    input.path = '/etc/passwd'
    await running
    expect(inputs).toEqual([{ path: '/safe' }])
  })

  it("gives a refusal that names its code, what failed and its receipt, and keeps the policy's own sentence", async () => {
    const { gate, me } = gateWith({
      policy: `@id("small") permit (principal, action, resource) when { context.arguments has amount && context.arguments.amount.lessThanOrEqual(decimal("500.0")) };
@id("never") @refusal("Refunds on Sundays are closed.") forbid (principal, action, resource) when { context.arguments has path };`,
    })
    const big = await me.admit({ tool: 'refund', callId: '1', input: { amount: 900 } })
    expect(big).toMatchObject({
      refusal: { code: 'no_permit', constraints: [{ policy: 'small', path: '/amount', actual: '900' }] },
    })
    const denied = await me.admit({ tool: 'refund', callId: '2', input: { amount: 1, path: 'x' } })
    expect(denied).toMatchObject({ refusal: { code: 'denied_by_policy', message: 'Refunds on Sundays are closed.' } })
    const ids = (await gate.receipts()).map((receipt) => receipt.id)
    expect(ids).toContain(denied.outcome === 'refused' ? denied.refusal.receipt : undefined)
  })

  it("rethrows the tool's own error and records it", async () => {
    const { gate, me } = gateWith()
    await expect(
      me.run({ tool: 'write', callId: '1', input: {} }, () => Promise.reject(new Error('disk'))),
    ).rejects.toThrow('disk')
    expect(gate.events.filter((event) => event.event === 'call-settled')).toMatchObject([{ status: 'tool_error' }])
  })
})

describe('a call runs at most once', () => {
  it('refuses the same call when it is resent after it ran, naming the receipt', async () => {
    const { me } = gateWith()
    const { inputs, execute } = executions()
    const call = { tool: 'refund', callId: '1', step: 2, input: { amount: 5 } }
    const first = await me.run(call, execute)
    const again = await me.run(call, execute)
    expect(again).toMatchObject({ outcome: 'refused', refusal: { code: 'already_executed' } })
    expect(again.outcome === 'refused' && again.refusal.message).toContain(first.receipts[0]?.id)
    expect(inputs).toHaveLength(1)
  })

  it('lets live duplicates join the first', async () => {
    const { me } = gateWith()
    const { inputs, execute } = executions()
    const call = { tool: 'refund', callId: '1', input: { amount: 5 } }
    const all = await Promise.all([me.run(call, execute), me.run(call, execute), me.run(call, execute)])
    expect(all.map((result) => result.outcome)).toEqual(['ran', 'ran', 'ran'])
    expect(inputs).toHaveLength(1)
  })

  it("shares one admission between a host's hook and its execute, and begins it once", async () => {
    const { gate, me } = gateWith()
    const call = { tool: 'refund', callId: '1', input: { amount: 5 } }
    const [hook, execute] = [await me.admit(call), await me.admit(call)]
    expect(hook).toBe(execute)
    if (hook.outcome !== 'permitted') throw new Error('refused')
    expect(hook.begin()).toMatchObject({ outcome: 'begun', input: { amount: 5 } })
    expect(hook.begin()).toMatchObject({ outcome: 'refused', refusal: { code: 'in_progress' } })
    await hook.settle({ status: 'ok', result: 1 })
    await hook.settle({ status: 'ok', result: 2 })
    expect((await gate.receipts()).map((receipt) => receipt.kind)).toEqual(['open', 'decision', 'outcome'])
  })

  it('refuses an idempotency key that comes back with other arguments', async () => {
    const { me } = gateWith()
    const { inputs, execute } = executions()
    await me.run({ tool: 'refund', callId: '1', idempotencyKey: 'k', input: { amount: 5 } }, execute)
    expect(await refusedCode(me, { tool: 'refund', callId: '2', idempotencyKey: 'k', input: { amount: 6 } })).toBe(
      'key_reuse',
    )
    expect(await refusedCode(me, { tool: 'refund', callId: '3', idempotencyKey: 'k', input: { amount: 5 } })).toBe(
      'already_executed',
    )
    expect(inputs).toHaveLength(1)
  })

  it('lets a permit lapse that nobody begins, and frees its key', async () => {
    let now = 0
    const { me } = gateWith({ permitTtlMs: 1_000, clock: { now: () => 1_700_000_000_000 + now, monotonic: () => now } })
    const call = { tool: 'refund', callId: '1', input: { amount: 5 } }
    const late = await me.admit(call)
    now = 1_001
    if (late.outcome !== 'permitted') throw new Error('refused')
    expect(late.begin()).toMatchObject({ outcome: 'refused', refusal: { code: 'permit_expired' } })
    await late.settle({ status: 'ok' })
    expect(await me.admit(call)).toMatchObject({ outcome: 'permitted' })
  })

  it('refuses to begin a call that its host has aborted', async () => {
    const { me } = gateWith()
    const aborter = new AbortController()
    const admission = await me.admit({ tool: 'refund', callId: '1', input: {} }, { signal: aborter.signal })
    aborter.abort()
    if (admission.outcome !== 'permitted') throw new Error('refused')
    expect(admission.begin()).toMatchObject({ outcome: 'refused', refusal: { code: 'cancelled' } })
  })
})

describe('when no answer comes', () => {
  it('refuses high and medium inside the budget, and low too by default', async () => {
    const { gate, me } = gateWith({ timeoutMs: 30 })
    gate.outage()
    for (const tool of ['read', 'write', 'refund'])
      expect(await refusedCode(me, { tool, callId: tool, input: {} })).toBe('policy_timeout')
    gate.heal()
    expect(await refusedCode(me, { tool: 'refund', callId: 'r', input: {} })).toBe('permitted')
  })

  it('opens low alone, visibly, where the operator says so, and boundedly', async () => {
    const { gate, me } = gateWith({ timeoutMs: 300, failMode: { low: 'open' } })
    gate.outage('refused')
    const { execute } = executions()
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, index) => me.run({ tool: 'read', callId: String(index), input: {} }, execute)),
    )
    expect(outcomes.filter((result) => result.outcome === 'ran' && result.failedOpen)).toHaveLength(10)
    expect(outcomes.filter((result) => result.outcome === 'refused')).toHaveLength(2)
    expect(gate.events.filter((event) => event.event === 'failure-opened')).toHaveLength(10)
    expect(await refusedCode(me, { tool: 'refund', callId: 'x', input: {} })).toBe('circuit_open')
  })

  it('refuses a wrong answer at every tier, open or not', async () => {
    for (const answer of [true, 'PERMIT', { kind: 'permit' }, null, undefined, ['permit'], { decision: true }]) {
      const { me } = gateWith({ failMode: { low: 'open' }, policy: () => answer })
      expect(await refusedCode(me, { tool: 'read', callId: '1', input: {} })).toBe('policy_wrong_answer')
    }
  })
})

describe('confirmation', () => {
  it('asks once for the exact call, runs it once after a yes, and asks again for the next', async () => {
    const { gate, me } = gateWith({ policy: 'ask/v1' })
    const { inputs, execute } = executions()
    const call = (callId: string, amount = 5) => ({ tool: 'refund', callId, input: { amount } })
    const asked = await me.admit(call('1'))
    expect(asked).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'approval_required', remedy: { kind: 'request_approval' } },
    })
    if (asked.outcome !== 'refused' || asked.request === undefined) throw new Error('no request')
    expect(asked.request).toMatchObject({ argumentsText: '{"amount":5}', requires: 'confirmation', state: 'pending' })
    expect(await refusedCode(me, call('2'))).toBe('approval_pending')

    const stranger = gate.as({ user: 'mallory' }, { conversation: 'c1' })
    expect(said(await stranger.answer(asked.request.ref, 'approved'))).not.toBe('recorded')
    expect(
      said(await gate.as({ user: 'alice' }, { conversation: 'c2' }).answer(asked.request.ref, 'approved')),
    ).not.toBe('recorded')
    expect(said(await me.answer(asked.request.ref, 'approved'))).toBe('recorded')
    expect(said(await me.answer(asked.request.ref, 'approved'))).not.toBe('recorded')

    expect(await refusedCode(me, call('3', 6))).toBe('approval_required')
    expect(await refusedCode(stranger, call('3'))).toBe('approval_required')
    expect(await me.run(call('3'), execute)).toMatchObject({ outcome: 'ran' })
    expect(await refusedCode(me, call('4'))).toBe('approval_required')
    expect(inputs).toEqual([{ amount: 5 }])
  })

  it('does not ask a person about a call that has run already', async () => {
    const { gate, me } = gateWith({ policy: 'ask/v1' })
    const { inputs, execute } = executions()
    const call = { tool: 'write', callId: '1', step: 3, input: {} }
    const asked = await me.admit(call)
    if (asked.outcome !== 'refused' || asked.request === undefined) throw new Error('no request')
    await me.answer(asked.request.ref, 'approved')
    await me.run(call, execute)
    expect(await refusedCode(me, call)).toBe('already_executed')
    expect(await gate.store.pending()).toEqual([])
    expect(inputs).toHaveLength(1)
  })

  it('takes a decline as final for that call in that conversation', async () => {
    const { me } = gateWith({ policy: 'ask/v1' })
    const asked = await me.admit({ tool: 'write', callId: '1', input: {} })
    if (asked.outcome !== 'refused' || asked.request === undefined) throw new Error('no request')
    await me.answer(asked.request.ref, 'declined')
    expect(await refusedCode(me, { tool: 'write', callId: '2', input: {} })).toBe('approval_declined')
  })

  it('spends one yes for one of two identical calls in flight', async () => {
    const { me } = gateWith({ policy: 'ask/v1' })
    const { inputs, execute } = executions()
    const asked = await me.admit({ tool: 'write', callId: '0', input: {} })
    if (asked.outcome !== 'refused' || asked.request === undefined) throw new Error('no request')
    await me.answer(asked.request.ref, 'approved')
    const both = await Promise.all(['a', 'b'].map((callId) => me.run({ tool: 'write', callId, input: {} }, execute)))
    expect(both.map((result) => result.outcome).sort()).toEqual(['ran', 'refused'])
    expect(inputs).toHaveLength(1)
  })

  it('takes no yes of this account for a high call once a tool of the agent runs code under that account', async () => {
    const { gate, me } = gateWith({ policy: 'ask/v1' })
    gate.register([
      ...tools,
      { name: 'bash', origin: 'own', declared: { materiality: 'high', surface: 'code-execution' } },
    ])
    await gate.store.attend('test', Date.now() + 60_000)
    const call = { tool: 'refund', input: { amount: 5 } }
    const asked = await me.admit({ ...call, callId: '1' })
    expect(asked).toMatchObject({ outcome: 'refused', refusal: { code: 'approver_not_separate' } })
    const ref = (asked.outcome === 'refused' && asked.request?.ref) || ''
    expect(said(await me.answer(ref, 'approved', { channel: 'terminal' }))).not.toBe('recorded')
    expect(said(await me.answer(ref, 'approved'))).not.toBe('recorded')
    // The client that shows a form is a process of this account too.
    expect(said(await me.answer(ref, 'approved', { channel: 'elicitation' }))).not.toBe('recorded')

    // Whoever has the account can write into its store as well.
    await gate.store.answer(ref, answerBy('alice'))
    expect(await refusedCode(me, { ...call, callId: '2' })).toBe('approver_not_separate')
  })

  it("takes the chat's yes for such a call, and this account's for a medium one", async () => {
    const { gate } = gateWith({ policy: 'ask/v1' })
    gate.register([
      ...tools,
      { name: 'bash', origin: 'own', declared: { materiality: 'high', surface: 'code-execution' } },
    ])
    const chat = gate.as({ user: 'alice', agent: 'support' }, { conversation: 'c1', channel: 'chat' })
    for (const [tool, channel] of [
      ['refund', 'chat'],
      ['write', 'terminal'],
    ] as const) {
      const asked = await chat.admit({ tool, callId: '1', input: {} }, { wait: false })
      expect(asked).toMatchObject({ outcome: 'refused', refusal: { code: 'approval_required' } })
      const ref = (asked.outcome === 'refused' && asked.request?.ref) || ''
      expect(said(await chat.answer(ref, 'approved', { channel }))).toBe('recorded')
      expect(await refusedCode(chat, { tool, callId: '2', input: {} })).toBe('permitted')
    }
  })

  it("takes a form's yes from a person who is named or has this terminal, and from nobody else", async () => {
    const isAnswered = async (view: Gate): Promise<boolean> => {
      const asked = await view.admit({ tool: 'write', callId: '1', input: {} }, { wait: false })
      const ref = (asked.outcome === 'refused' && asked.request?.ref) || ''
      return said(await view.answer(ref, 'approved', { channel: 'elicitation' })) === 'recorded'
    }
    const { gate, me } = gateWith({ policy: 'ask/v1' })
    expect(await isAnswered(me)).toBe(true)
    expect(await isAnswered(gate.as({}))).toBe(false)

    const terminals = [process.stdin, process.stdout].map((stream) => [stream, stream.isTTY] as const)
    for (const [stream] of terminals) stream.isTTY = true
    try {
      const { gate: here } = gateWith({ policy: 'ask/v1' })
      expect(here.as({}).scope?.principal.basis).toBe('os-user')
      expect(await isAnswered(here.as({}))).toBe(true)
    } finally {
      for (const [stream, isTTY] of terminals) stream.isTTY = isTTY
    }
  })

  it('waits for a connected person, and runs when they say yes', async () => {
    const { gate, me } = gateWith({ policy: 'ask/v1' })
    const { inputs, execute } = executions()
    await gate.ready()
    await gate.store.attend('test', Date.now() + 60_000)
    const running = me.run({ tool: 'write', callId: '1', input: { path: '/x' } }, execute)
    const ref = await until(async () => (await gate.store.pending())[0]?.ref)
    await me.answer(ref, 'approved', { channel: 'terminal' })
    expect(await running).toMatchObject({ outcome: 'ran' })
    expect(inputs).toEqual([{ path: '/x' }])
  })
})

describe('who and where', () => {
  it('refuses high for a principal that nobody named, and takes the one that actingAs names', async () => {
    const { gate } = gateWith()
    expect(await refusedCode(gate, { tool: 'refund', callId: '1', input: {} })).toBe('no_permit')
    await actingAs({ user: 'bob' }, async () => {
      expect(await refusedCode(gate, { tool: 'refund', callId: '1', input: {} })).toBe('permitted')
      expect(gate.as({ user: 'carol' }).scope?.principal.id).toBe('carol')
    })
    expect(gate.events.filter((event) => event.event === 'decision-made').map((event) => event.principal)).toEqual([
      'test',
      'bob',
    ])
  })
})

describe('observe mode', () => {
  it('decides and receipts, blocks nothing, and says that it did not enforce', async () => {
    const { gate, me } = gateWith({ policy: 'ask/v1', observe: { until: Date.now() + 60_000 } })
    const { inputs, execute } = executions()
    const ran = await me.run({ tool: 'refund', callId: '1', input: { amount: 900 } }, execute)
    expect(ran.outcome).toBe('ran')
    expect(await me.run({ tool: 'nobody-knows', callId: '2', input: { a: 1 } }, execute)).toMatchObject({
      outcome: 'ran',
    })
    expect(inputs).toEqual([{ amount: 900 }, { a: 1 }])
    expect(gate.events.filter((event) => event.event === 'decision-made').map((event) => event.enforced)).toEqual([
      false,
      false,
    ])
  })

  it('enforces once its date has passed', async () => {
    let now = 1_700_000_000_000
    const { me } = gateWith({
      policy: 'ask/v1',
      observe: { until: now + 1_000 },
      clock: { now: () => now, monotonic: () => 0 },
    })
    expect(await refusedCode(me, { tool: 'refund', callId: '1', input: {} })).toBe('permitted')
    now += 1_000
    expect(await refusedCode(me, { tool: 'refund', callId: '2', input: {} })).toBe('approval_required')
  })
})

describe('when a receipt cannot be written', () => {
  it('refuses every tier, runs low only where the operator said so, and never turns a finished call into an error', async () => {
    const broken = () =>
      faultStore(createMemoryStore(), ({ operation }) => (operation === 'commitDecision' ? 'fail' : 'none'))
    for (const tool of ['read', 'write', 'refund']) {
      const { me } = gateWith({ store: broken() })
      expect(await refusedCode(me, { tool, callId: '1', input: {} })).toBe('receipt_unavailable')
    }
    const open = gateWith({ store: broken(), onReceiptLoss: { low: 'run' } })
    expect(await refusedCode(open.me, { tool: 'read', callId: '1', input: {} })).toBe('permitted')
    const high = gateWith({ store: broken(), onReceiptLoss: { low: 'run' } })
    expect(await refusedCode(high.me, { tool: 'refund', callId: '1', input: {} })).toBe('receipt_unavailable')
  })
})

describe('what a session has spent', () => {
  it('never lets parallel calls read the same sum', async () => {
    const { me } = gateWith({
      policy: `@id("cap") permit (principal, action, resource) when {
  context.arguments has amount && context.arguments.amount.lessThanOrEqual(decimal("100.0")) &&
  (if context.session.spent has "test/refund" then context.session.spent["test/refund"].lessThan(decimal("300.0")) else true)
};`,
    })
    const { inputs, execute } = executions()
    const all = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        me.run({ tool: 'refund', callId: String(index), input: { amount: 100 } }, execute),
      ),
    )
    expect(all.filter((result) => result.outcome === 'ran')).toHaveLength(3)
    expect(inputs).toHaveLength(3)
  })
})

async function until<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 200; tries += 1) {
    const value = await probe()
    if (value !== undefined) return value
    await new Promise((done) => setTimeout(done, 10))
  }
  throw new Error('waited in vain')
}

describe('a call joins another only when everything that a policy reads is the same', () => {
  const policy = `@id("reads") permit (principal, action == Action::"test/read", resource);`

  it('never hands the permit of one tool to another that comes with the same idempotency key', async () => {
    const { me } = gateWith({ policy })
    const { inputs, execute } = executions()
    const read = await me.admit({ tool: 'read', idempotencyKey: 'k', input: {} })
    expect(read.outcome).toBe('permitted')
    expect(await me.run({ tool: 'refund', idempotencyKey: 'k', input: {} }, execute)).toMatchObject({
      outcome: 'refused',
    })
    expect(inputs).toEqual([])
  })

  it('calls the same key for another tool a reuse, not a repetition', async () => {
    const { me } = gateWith()
    const { execute } = executions()
    await me.run({ tool: 'read', idempotencyKey: 'k', input: {} }, execute)
    expect(await refusedCode(me, { tool: 'refund', idempotencyKey: 'k', input: {} })).toBe('key_reuse')
  })

  it('never hands the permit of one agent or environment to another with the same call id', async () => {
    const { gate } = gateWith({
      policy: `@id("trusted") permit (principal, action, resource) when { context has agent && context.agent == "trusted" && context.environment has prod && context.environment.prod == false };`,
    })
    const { inputs, execute } = executions()
    const where = (prod: boolean) => ({ conversation: 'c', environment: { prod } })
    const call = { tool: 'refund', callId: 'call_0', input: {} }
    const trusted = gate.as({ user: 'alice', agent: 'trusted' }, where(false))
    const admitted = await trusted.admit(call)
    expect(admitted.outcome).toBe('permitted')
    const other = await gate.as({ user: 'alice', agent: 'browser' }, where(true)).run(call, execute)
    expect(other).toMatchObject({ outcome: 'refused' })
    expect(inputs).toEqual([])
  })
})

describe('what the security review found', () => {
  it('refuses, and never rejects, for arguments as deep and as large as the limits allow', async () => {
    const { me } = gateWith({ tools: { any: { materiality: 'high' } } })
    me.register([{ name: 'any', origin: 'own', declared: { materiality: 'high' } }])
    let deep: Json = '/a'
    for (let depth = 0; depth < 60; depth += 1) deep = { a: deep }
    const inputs = [
      deep,
      { path: `/${'a/'.repeat(2_000)}` },
      { paths: Array.from({ length: 9_000 }, (_, index) => `/${index}/b/c`) },
      { url: `https://${'a.'.repeat(120)}example.com/` },
      { text: 'x'.repeat(1_000_000) },
    ]
    for (const [index, input] of inputs.entries()) {
      expect(await refusedCode(me, { tool: 'any', callId: `deep-${index}`, input })).toBe('permitted')
    }
  })

  it('turns a policy point that breaks the request into a refusal, with a receipt', async () => {
    const { gate, me } = gateWith({
      policy: (request) => {
        Object.assign(request, {
          context: {
            get trap() {
              throw new Error('trap')
            },
          },
        })
        throw new Error('no')
      },
    })
    const admission = await me.admit({ tool: 'refund', callId: '1', input: {} })
    expect(admission).toMatchObject({ outcome: 'refused', refusal: { code: 'policy_error' } })
    expect((await gate.receipts()).map(({ kind }) => kind)).toContain('decision')
  })

  it('refuses an answer of a policy that another one replaced while it was asked', async () => {
    let digest = 'A'.repeat(43)
    const policy = {
      id: 'reloading',
      get policyDigest() {
        return digest
      },
      rederivable: false,
      readsSession: false,
      register: () => [],
      explain: () => ({ constraints: [], policies: [] }),
      evaluate: async () => {
        digest = 'B'.repeat(43)
        return { kind: 'permit', determining: [], errors: [], obligations: [] } as const
      },
    }
    const { me } = gateWith({ policy: policy as never })
    expect(await refusedCode(me, { tool: 'refund', callId: '1', input: {} })).toBe('policy_stale')
    digest = 'A'.repeat(43)
  })

  it('runs a low call without a receipt once at most, also after the store works again', async () => {
    let fault: 'none' | 'fail' = 'none'
    const trouble = faultStore(createMemoryStore(), ({ operation }) =>
      operation === 'commitDecision' ? fault : 'none',
    )
    const { me } = gateWith({ store: trouble, onReceiptLoss: { low: 'run' } })
    await me.ready()
    const { inputs, execute } = executions()
    fault = 'fail'
    const call = { tool: 'read', callId: '1', input: { path: 'a' } }
    expect(await me.run(call, execute)).toMatchObject({ outcome: 'ran' })
    expect(await me.run(call, execute)).toMatchObject({ outcome: 'refused', refusal: { code: 'already_executed' } })
    fault = 'none'
    expect(await me.run(call, execute)).toMatchObject({ outcome: 'refused', refusal: { code: 'already_executed' } })
    expect(inputs).toHaveLength(1)
  })

  it('refuses when a store of the host never answers whether the key is taken', async () => {
    const store = { ...withDeadline(createMemoryStore()), holder: () => new Promise<never>(() => undefined) }
    const { me } = gateWith({ policy: 'ask/v1', store: withDeadline(store, 20) })
    expect(await refusedCode(me, { tool: 'refund', callId: '1', input: {} })).toBe('receipt_unavailable')
  })

  it('shows hostile names in a rejected argument as marks, cut short', async () => {
    const { me } = gateWith()
    const admission = await me.admit({ tool: 'refund', callId: '1', input: { [`${'a'.repeat(300)}\u202e\n`]: 10n } })
    const refusal = admission.outcome === 'refused' ? admission.refusal : undefined
    expect(refusal?.message.length).toBeLessThan(500)
    const hostile = await me.admit({ tool: 'refund', callId: '2', input: { '\u202e\n': 10n } })
    expect(hostile).toMatchObject({
      refusal: { message: 'The argument /\\u{202e}\\u{a} is a BigInt: pass a string of digits.' },
    })
  })

  it('judges a call by the definition it was made under, not by a later one of the same name', async () => {
    const { gate, me } = gateWith()
    const strict: ToolDefinition = {
      name: 'search',
      origin: 'third-party',
      inputSchema: { type: 'object', properties: { q: { type: 'string' } }, additionalProperties: false },
    }
    const loose: ToolDefinition = { name: 'search', origin: 'third-party' }
    gate.register([strict])
    gate.register([loose])
    const input = { sql: 'drop table users' }
    expect(await refusedCode(me, { tool: 'search', callId: '1', input, definition: strict })).toBe('arguments_rejected')
    expect(await refusedCode(me, { tool: 'search', callId: '2', input, definition: loose })).toBe('permitted')
    expect(await refusedCode(me, { tool: 'search', callId: '3', input, definition: { ...loose } })).toBe('tool_changed')
  })
})

describe('when too much is asked at once', () => {
  it('refuses the surplus while decisions hang, and no longer once they are through', async () => {
    const { gate, me } = gateWith({ timeoutMs: 300 })
    await gate.ready()
    gate.outage()
    const hanging = Array.from({ length: 1_024 }, (_, index) =>
      me.admit({ tool: 'read', callId: `h${index}`, input: {} }),
    )
    expect(await refusedCode(me, { tool: 'read', callId: 'surplus', input: {} })).toBe('overloaded')
    gate.heal()
    await Promise.all(hanging)
    expect(await refusedCode(me, { tool: 'read', callId: 'surplus', input: {} })).toBe('permitted')
  })

  it('counts no call that runs: slow tools of one person do not shut the gate for another', async () => {
    const { gate, me } = gateWith()
    for (let index = 0; index < 1_030; index += 1) {
      const admission = await me.admit({ tool: 'read', callId: `slow${index}`, input: {} })
      if (admission.outcome === 'permitted') admission.begin()
    }
    const bob = gate.as({ user: 'bob' }, { conversation: 'c2' })
    expect(await refusedCode(bob, { tool: 'read', callId: '1', input: {} })).toBe('permitted')
  })
})

describe('what the second review found', () => {
  it('still refuses a call under a definition that did not fit, after another one that fits was listed', async () => {
    const capped =
      '@id("cap") permit (principal, action == Action::"test/pay", resource) when { context.arguments.amount.lessThanOrEqual(decimal("500.0")) };\n@id("rest") permit (principal, action, resource);'
    const { gate, me } = gateWith({ policy: capped })
    const definition = (amount: 'sum' | 'amount'): ToolDefinition => ({
      name: 'pay',
      origin: 'third-party',
      inputSchema: { type: 'object', properties: { [amount]: { type: 'number' } }, required: [amount] },
    })
    const [older, newer] = [definition('sum'), definition('amount')]
    expect(gate.register([older])).not.toEqual([])
    expect(gate.register([newer])).toEqual([])
    expect(await refusedCode(me, { tool: 'pay', callId: '1', input: { sum: 900 }, definition: older })).toBe(
      'policy_error',
    )
    expect(await refusedCode(me, { tool: 'pay', callId: '2', input: { amount: 5 }, definition: newer })).toBe(
      'permitted',
    )
  })

  it('runs one key once without a receipt, however many calls come with it at the same time', async () => {
    let fault: 'none' | 'fail' = 'none'
    const trouble = faultStore(createMemoryStore(), ({ operation }) =>
      operation === 'commitDecision' ? fault : 'none',
    )
    const { gate, me } = gateWith({ store: trouble, onReceiptLoss: { low: 'run' } })
    await me.ready()
    fault = 'fail'
    const { inputs, execute } = executions()
    const calls = ['a', 'b', 'c'].map((path) => ({ tool: 'read', callId: path, idempotencyKey: 'k', input: { path } }))
    await Promise.all(calls.map((call) => me.run(call, execute)))
    const agents = ['x', 'y', 'z'].map((agent) => gate.as({ user: 'alice', agent }, { conversation: 'c1' }))
    await Promise.all(agents.map((agent) => agent.run({ tool: 'read', callId: 'same', input: {} }, execute)))
    expect(inputs).toHaveLength(2)
  })

  it('writes a receipt that verifies when a tool wants a yes and low calls fail open', async () => {
    const { gate, me } = gateWith({ failMode: { low: 'open' }, timeoutMs: 200 })
    gate.outage('refused')
    const asks = { requires: 'confirmation', wait: false } as const
    const asked = await me.admit({ tool: 'read', callId: '1', input: {} }, asks)
    await me.answer((asked.outcome === 'refused' && asked.request?.ref) || '', 'approved', { channel: 'terminal' })
    const admission = await me.admit({ tool: 'read', callId: '2', input: {} }, asks)
    expect(admission).toMatchObject({ outcome: 'permitted', failedOpen: true })
    if (admission.outcome === 'permitted') {
      admission.begin()
      await admission.settle({ status: 'ok' })
    }
    const receipts = (await gate.receipts()).map(({ jws }) => jws)
    expect((await verifyReceipts(receipts, { keys: [gate.signer.publicJwk] })).failures).toEqual([])
  })

  it('takes no answer of a chat from whoever merely has this account', async () => {
    const { gate, me } = gateWith({ policy: 'ask/v1' })
    const asked = await me.admit({ tool: 'write', callId: '1', input: {} }, { wait: false })
    const ref = (asked.outcome === 'refused' && asked.request?.ref) || ''
    expect(said(await gate.as({}, { conversation: 'c1', channel: 'chat' }).answer(ref, 'approved'))).not.toBe(
      'recorded',
    )
    expect(said(await me.answer(ref, 'approved', { channel: 'chat' }))).toBe('recorded')
  })

  it('takes a configured name with a slash for a tool of that server, and says so where one of our own has it', async () => {
    const words = { 'files/read_note': { materiality: 'low' } } as const
    const { gate } = gateWith({ tools: words })
    const own: ToolDefinition = { name: 'files/read_note', origin: 'own' }
    expect(() => gate.register([own])).toThrow(
      'code: "files/read_note" names a tool of the server "files", and test has a tool of that whole name: write "test/files/read_note" for that one',
    )
    const both = gateWith({ tools: { ...words, 'test/files/read_note': { materiality: 'medium' } } })
    expect(both.gate.register([own])).toEqual([])
    expect(await both.me.admit({ tool: 'files/read_note', callId: '1', input: {} })).toMatchObject({
      materiality: 'medium',
    })
  })
})

describe('a gate that hosts tell of their tools again and again', () => {
  it('has only the tools of the listing validated, and each choice of tools once', () => {
    const listings: string[] = []
    const policy = {
      ...scriptedPoint(() => PERMIT),
      register: (_: string, listed: readonly ToolDefinition[]) => {
        listings.push(listed.map(({ name }) => name).join())
        return []
      },
    }
    const gate = testGate({ policy })
    const [read, write, refund] = tools
    if (read === undefined || write === undefined || refund === undefined) throw new Error('there are three tools')
    for (const listing of [[read, write], [refund], [read], [refund], [read], [read, write], [read, write]])
      gate.register(listing)
    expect(listings).toEqual(['read,write', 'refund', 'read', 'read,write'])
    gate.register([{ ...refund, description: 'changed' }])
    gate.register([read])
    expect(listings.slice(4)).toEqual(['refund', 'read'])
  })

  it('refuses under a definition that does not fit also when only its changing description was listed anew', async () => {
    const capped =
      '@id("cap") permit (principal, action == Action::"test/pay", resource) when { context.arguments.amount.lessThanOrEqual(decimal("500.0")) };\n@id("rest") permit (principal, action, resource);'
    const { gate, me } = gateWith({ policy: capped })
    for (const description of ['Monday', 'Tuesday', 'Wednesday']) {
      const pay: ToolDefinition = {
        name: 'pay',
        origin: 'own',
        description,
        dynamicDescription: true,
        inputSchema: { type: 'object', properties: { sum: { type: 'number' } } },
      }
      expect(gate.register([pay])).toHaveLength(1)
      const call = { tool: 'pay', callId: description, input: { sum: 900 }, definition: pay }
      expect(await refusedCode(me, call)).toBe('policy_error')
    }
  })
})
