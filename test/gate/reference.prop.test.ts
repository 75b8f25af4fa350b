import fc from 'fast-check'
import { expect, it } from 'vitest'
import { AbsentAnswer } from '../../src/decide/absent.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { testGate } from '../../src/testing.ts'
import type { Call, Gate } from '../../src/types.ts'
import { hookedStore } from '../support/hooked-store.ts'
import { type Fate, referenceGate, type World } from '../support/reference-gate.ts'
import { DENY, handClock, PERMIT, scriptedPoint } from '../support/scripted-point.ts'

const world: fc.Arbitrary<World> = fc.record({
  materiality: fc.constantFrom('low', 'medium', 'high'),
  tool: mostly('known', 'unknown'),
  input: mostly('fits', 'misses the schema', 'unreadable'),
  principal: mostly('stated', 'nobody'),
  point: fc.constantFrom(
    'permits',
    'permits late',
    'permits with an obligation',
    'permits once confirmed',
    'denies',
    'speaks for nothing',
    'hangs',
    'cannot be reached',
    'throws',
    'answers nonsense',
  ),
  person: fc.constantFrom('not asked', 'asked', 'said yes', 'said no'),
  store: mostly('works', 'fails', 'fails but persists'),
  failLow: fc.constantFrom('closed', 'open'),
  receiptLossLow: fc.constantFrom('refuse', 'run'),
  begin: mostly('in time', 'too late', 'after an abort'),
})

/** The first value four times as often as each of the others, so that many worlds come near to running. */
function mostly<T>(usual: T, ...unusual: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: fc.constant(usual), weight: 4 }, ...unusual.map((value) => fc.constant(value)))
}

const BUDGET_MS = 4
const PERMIT_TTL_MS = 1_000

/** Plays a world on the real gate. */
async function realGate(played: World): Promise<Fate> {
  const clock = handClock()
  const aborter = new AbortController()
  let storeFails = false
  const gate = testGate({
    clock,
    timeoutMs: BUDGET_MS,
    permitTtlMs: PERMIT_TTL_MS,
    failMode: { low: played.failLow },
    onReceiptLoss: { low: played.receiptLossLow },
    tools: { act: { materiality: played.materiality } },
    policy: scriptedPoint((request) => answer(played, clock, request.context.approval.confirmed)),
    store: hookedStore(createMemoryStore({ now: clock.now }), (at) => {
      if (!storeFails) return
      if (played.store === 'fails' && at === 'before commit') throw new Error('disk full')
      if (played.store === 'fails but persists' && at === 'after commit') throw new Error('connection lost')
    }),
  })
  const inputSchema = { type: 'object', properties: { to: { type: 'string' } } }
  gate.register([{ name: 'act', origin: 'own', inputSchema }])
  const view = gate.as(played.principal === 'stated' ? { user: 'alice' } : {}, { conversation: 'c1' })
  const call = callOf(played)
  if (played.point === 'permits once confirmed') await askPerson(played, view, call)

  storeFails = true
  const admission = await view.admit(call, { signal: aborter.signal })
  if (admission.outcome === 'refused') return { ran: false, code: admission.refusal.code }
  if (played.begin === 'too late') clock.advance(PERMIT_TTL_MS + 1)
  if (played.begin === 'after an abort') aborter.abort()
  const begun = admission.begin()
  return begun.outcome === 'begun'
    ? { ran: true, failedOpen: admission.failedOpen }
    : { ran: false, code: begun.refusal.code }
}

function answer(played: World, clock: ReturnType<typeof handClock>, confirmed: boolean): unknown {
  const silence = { kind: 'silence', determining: [], errors: [] }
  switch (played.point) {
    case 'permits':
      return PERMIT
    case 'permits late':
      clock.advance(BUDGET_MS + 1)
      return PERMIT
    case 'permits with an obligation':
      return { ...PERMIT, obligations: [{ id: 'o', type: 'notify', properties: {} }] }
    case 'permits once confirmed':
      return confirmed ? PERMIT : { ...silence, cause: { kind: 'requestable', requires: 'confirmation' } }
    case 'denies':
      return DENY
    case 'speaks for nothing':
      return { ...silence, cause: { kind: 'no_permit' } }
    case 'hangs':
      return new Promise(() => undefined)
    case 'cannot be reached':
      throw new AbsentAnswer('unavailable', 'connection refused')
    case 'throws':
      throw new Error('policy is broken')
    case 'answers nonsense':
      return { kind: 'PERMIT', determining: [], errors: [], obligations: [] }
  }
}

function callOf({ tool, input }: World): Call {
  const circle: { self?: unknown } = {}
  circle.self = circle
  const inputs = { fits: { to: 'bob' }, 'misses the schema': { to: 7 }, unreadable: circle }
  return { tool: tool === 'known' ? 'act' : 'unlisted', input: inputs[input], callId: 'call-1' }
}

/** The first try opens the request; then the person answers it, or not. */
async function askPerson(played: World, view: Gate, call: Call): Promise<void> {
  if (played.person === 'not asked') return
  const { outcome, ...asked } = await view.admit(call)
  const ref = outcome === 'refused' && 'request' in asked ? asked.request?.ref : undefined
  if (ref === undefined || played.person === 'asked') return
  // Nobody is signed in to a chat: then it is whoever sits at the terminal that answers.
  const channel = played.principal === 'nobody' ? 'terminal' : 'chat'
  await view.answer(ref, played.person === 'said yes' ? 'approved' : 'declined', { channel })
}

it('I4: the gate does what the page of rules says, in every world', async () => {
  await fc.assert(
    fc.asyncProperty(world, async (played) => {
      expect(await realGate(played)).toEqual(referenceGate(played))
    }),
    { numRuns: 600 },
  )
})

it('I5: no world lets a medium or high call run without an answer, or any call on a wrong one', () => {
  fc.assert(
    fc.property(world, (played) => {
      const fate = referenceGate(played)
      if (!fate.ran) return
      if (fate.failedOpen) expect(played.materiality).toBe('low')
      expect(['throws', 'answers nonsense', 'denies', 'speaks for nothing']).not.toContain(played.point)
    }),
  )
})
