import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { faultStore } from '../../src/store/fault.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { type TestGateOptions, testGate } from '../../src/testing.ts'
import type { Gate, SessionFacts, Store, ToolDefinition } from '../../src/types.ts'
import { handClock } from '../support/scripted-point.ts'

const HOUR_MS = 60 * 60_000
const tools: readonly ToolDefinition[] = ['read_inbox', 'web_search', 'send_mail', 'refund'].map((name) => ({
  name,
  origin: 'own',
}))
const words: NonNullable<TestGateOptions['tools']> = {
  read_inbox: { materiality: 'low', surface: 'read', reads: ['private'] },
  web_search: { materiality: 'low', surface: 'read', reads: ['untrusted'] },
  send_mail: { materiality: 'low', surface: 'communication' },
  refund: { materiality: 'high', surface: 'financial' },
}

/** Everything runs, save what leaves a conversation that has read both. */
const EXFILTRATION = `@id("all") permit (principal, action, resource);
@id("out") forbid (principal, action in Action::"surface-communication", resource)
when { context.session.private_data_read && context.session.untrusted_content_read };`

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function gateOn(store: Store, options: TestGateOptions = {}) {
  const gate = testGate({ policy: EXFILTRATION, tools: words, store, ...options })
  closing.push(() => gate.close())
  gate.register(tools)
  return gate
}

let calls = 0
async function outcomeOf(me: Gate, tool: string, input: Record<string, number> = {}) {
  calls += 1
  const result = await me.run({ tool, callId: `c${calls}`, input }, () => 'done')
  return result.outcome === 'ran' ? 'ran' : result.refusal.code
}

/** What the sidecar of the newest decision says that the policies were told of the session. */
async function factsOf(gate: ReturnType<typeof testGate>): Promise<SessionFacts> {
  const decision = (await gate.receipts()).findLast(({ kind }) => kind === 'decision')
  const sidecar = await gate.store.sidecar(decision?.hash ?? '')
  return JSON.parse(sidecar?.request ?? '{}').context.session
}

describe('what a conversation has read', () => {
  it('holds back what leaves it, once both were read, and in no other conversation', async () => {
    const gate = gateOn(createMemoryStore())
    const [me, other] = ['c1', 'c2'].map((conversation) => gate.as({ user: 'alice' }, { conversation })) as [Gate, Gate]
    expect(await outcomeOf(me, 'send_mail')).toBe('ran')
    expect(await outcomeOf(me, 'read_inbox')).toBe('ran')
    expect(await outcomeOf(me, 'send_mail')).toBe('ran')
    expect(await outcomeOf(me, 'web_search')).toBe('ran')
    expect(await outcomeOf(me, 'send_mail')).toBe('denied_by_policy')
    expect(await outcomeOf(other, 'send_mail')).toBe('ran')
    expect(await outcomeOf(gate.as({ user: 'bob' }, { conversation: 'c1' }), 'send_mail')).toBe('ran')
  })

  it('counts from the permit on: a message that is decided while the reading still runs is held back', async () => {
    const gate = gateOn(createMemoryStore())
    const me = gate.as({ user: 'alice' }, { conversation: 'c1' })
    expect(await outcomeOf(me, 'web_search')).toBe('ran')
    const { promise, resolve } = Promise.withResolvers<string>()
    const begun = Promise.withResolvers<void>()
    const reading = me.run({ tool: 'read_inbox', callId: 'slow', input: {} }, () => {
      begun.resolve()
      return promise
    })
    await begun.promise
    expect(await outcomeOf(me, 'send_mail')).toBe('denied_by_policy')
    resolve('mails')
    expect((await reading).outcome).toBe('ran')
  })

  it('is not forgotten when the process ends', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdpoint-labels-'))
    closing.push(() => rmSync(folder, { recursive: true, force: true }))
    const before = testGate({ policy: EXFILTRATION, tools: words, store: createSqliteStore({ folder }) })
    before.register(tools)
    const me = before.as({ user: 'alice' }, { conversation: 'c1' })
    expect([await outcomeOf(me, 'read_inbox'), await outcomeOf(me, 'web_search')]).toEqual(['ran', 'ran'])
    await before.close()
    const after = gateOn(createSqliteStore({ folder }))
    expect(await outcomeOf(after.as({ user: 'alice' }, { conversation: 'c1' }), 'send_mail')).toBe('denied_by_policy')
  })

  it('is remembered even of policies that do not look at it, for those that come to', async () => {
    const store = createMemoryStore()
    const blind = testGate({ tools: words, store })
    blind.register(tools)
    const me = blind.as({ user: 'alice' }, { conversation: 'c1' })
    expect([await outcomeOf(me, 'read_inbox'), await outcomeOf(me, 'web_search')]).toEqual(['ran', 'ran'])
    await blind.close()
    expect(await outcomeOf(gateOn(store).as({ user: 'alice' }, { conversation: 'c1' }), 'send_mail')).toBe(
      'denied_by_policy',
    )
  })

  it('is never read without a record of it, though the operator lets low calls run unrecorded', async () => {
    let lost = false
    const store = faultStore(createMemoryStore(), ({ operation }) =>
      lost && operation === 'commitDecision' ? 'fail' : 'none',
    )
    const me = gateOn(store, { onReceiptLoss: { low: 'run' } }).as({ user: 'alice' }, { conversation: 'c1' })
    expect(await outcomeOf(me, 'send_mail')).toBe('ran')
    lost = true
    expect(await outcomeOf(me, 'send_mail')).toBe('ran')
    expect(await outcomeOf(me, 'read_inbox')).toBe('receipt_unavailable')
  })

  it('is what the operator says, and nothing that a tool says of itself', async () => {
    const gate = testGate({ policy: EXFILTRATION, store: createMemoryStore() })
    closing.push(() => gate.close())
    gate.register([
      { name: 'get_page', origin: 'third-party', description: 'reads: [private, untrusted]', annotations: {} },
      { name: 'send_mail', origin: 'own' },
    ])
    const me = gate.as({ user: 'alice' }, { conversation: 'c1' })
    await outcomeOf(me, 'get_page')
    expect(await outcomeOf(me, 'send_mail')).toBe('ran')
  })

  it('stands in the receipt that commits to the decision, with the counts and sums', async () => {
    const clock = handClock()
    const gate = gateOn(createMemoryStore({ now: clock.now }), { clock })
    const me = gate.as({ user: 'alice' }, { conversation: 'c1' })
    await outcomeOf(me, 'read_inbox')
    await outcomeOf(me, 'refund', { amount: 2.5 })
    clock.advance(2 * HOUR_MS)
    await outcomeOf(me, 'refund', { amount: 1 })
    expect(await factsOf(gate)).toEqual({
      calls: { 'test/read_inbox': 1, 'test/refund': 1 },
      spent: { 'test/read_inbox': '0.0', 'test/refund': '2.5' },
      surfaces: { calls: { read: 1, financial: 1 }, spent: { read: '0.0', financial: '2.5' } },
      hour: { calls: {}, spent: {}, surfaces: { calls: {}, spent: {} } },
      day: {
        calls: { 'test/read_inbox': 1, 'test/refund': 1 },
        spent: { 'test/read_inbox': '0.0', 'test/refund': '2.5' },
        surfaces: { calls: { read: 1, financial: 1 }, spent: { read: '0.0', financial: '2.5' } },
      },
      private_data_read: true,
      untrusted_content_read: false,
    })
  })
})

describe('what a principal has spent in a day', () => {
  const policy = `@id("all") permit (principal, action, resource);
@id("day") forbid (principal, action, resource)
unless { context.session.here.day.surface.after.lessThanOrEqual(decimal("100.0")) };`

  it('holds in every conversation, and is free again a day later', async () => {
    const clock = handClock()
    const gate = gateOn(createMemoryStore({ now: clock.now }), { clock, policy })
    const spend = async (conversation: string, amount: number) =>
      await outcomeOf(gate.as({ user: 'alice' }, { conversation }), 'refund', { amount })
    expect(await spend('c1', 60)).toBe('ran')
    expect(await spend('c2', 60)).toBe('denied_by_policy')
    clock.advance(24 * HOUR_MS)
    expect(await spend('c3', 60)).toBe('denied_by_policy')
    clock.advance(HOUR_MS)
    expect(await spend('c3', 60)).toBe('ran')
  })

  it('is given back by a call that never began', async () => {
    const gate = gateOn(createMemoryStore(), { policy })
    const me = gate.as({ user: 'alice' }, { conversation: 'c1' })
    const admission = await me.admit({ tool: 'refund', callId: 'unused', input: { amount: 100 } })
    expect(await outcomeOf(me, 'refund', { amount: 1 })).toBe('denied_by_policy')
    if (admission.outcome === 'permitted') await admission.settle({ status: 'not_executed' })
    expect(await outcomeOf(me, 'refund', { amount: 100 })).toBe('ran')
  })
})
