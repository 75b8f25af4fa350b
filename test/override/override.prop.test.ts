import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createOverrides, type OverrideShelf } from '../../src/override/live.ts'
import { countersign, readOverride } from '../../src/override/signed.ts'
import { mayOverride } from '../../src/override/standing.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { type Decision, MATERIALITIES } from '../../src/types.ts'
import { ALICE, MINUTE_MS, NOW, signedBy, trusting } from '../support/overrides.ts'

const grounds = { determining: [], errors: [] }
const anyDecision: fc.Arbitrary<Decision> = fc.oneof(
  fc.constant<Decision>({ kind: 'permit', obligations: [], ...grounds }),
  fc.constant<Decision>({ kind: 'deny', ...grounds }),
  fc
    .constantFrom('policy_error', 'malformed', 'misconfigured', 'stale', 'isolated', 'unusable_policy')
    .map((fault): Decision => ({ kind: 'silence', cause: { kind: 'wrong', fault, detail: '' }, ...grounds })),
  fc
    .constantFrom('timeout', 'unavailable', 'circuit_open')
    .map((fault): Decision => ({ kind: 'silence', cause: { kind: 'absent', fault }, ...grounds })),
  fc.constant<Decision>({ kind: 'silence', cause: { kind: 'no_permit' }, ...grounds }),
  fc.constant<Decision>({ kind: 'silence', cause: { kind: 'requestable', requires: 'confirmation' }, ...grounds }),
)

const [one, two] = [generateSigner(), generateSigner()]
const widest = signedBy([one, two], { tools: ['*'], principal: 'any', most: 1_000 })

const holding = (text: string): OverrideShelf => ({
  read: async () => ({ overrides: new Map([[readOverride(text).id, { text }]]), revoked: new Set() }),
})

describe('I5: an override', () => {
  it('I5: lets nothing run but a medium call for which no answer came, however wide it is', async () => {
    const overrides = createOverrides({
      shelf: holding(widest),
      keys: trusting(one, two),
      clock: { now: () => NOW, monotonic: () => 0 },
      warn: () => undefined,
    })
    await fc.assert(
      fc.asyncProperty(anyDecision, fc.constantFrom(...MATERIALITIES), async (decision, materiality) => {
        const isOutage = decision.kind === 'silence' && decision.cause.kind === 'absent'
        const expected = materiality === 'medium' && isOutage
        expect(mayOverride(decision, materiality)).toBe(expected)
        const found = await overrides.find({ decision, materiality, tool: 'shop/restock', scope: ALICE })
        expect(found !== undefined).toBe(expected)
      }),
    )
  })

  it('I5: that was edited in one character is none, or says the same under the same keys', async () => {
    const signed = readOverride(widest)
    await fc.assert(
      fc.asyncProperty(fc.nat(widest.length - 1), fc.string({ minLength: 0, maxLength: 2 }), async (at, piece) => {
        const edited = widest.slice(0, at) + piece + widest.slice(at + 1)
        fc.pre(edited !== widest)
        const overrides = createOverrides({
          shelf: { read: async () => ({ overrides: new Map([[signed.id, { text: edited }]]), revoked: new Set() }) },
          keys: trusting(one, two),
          clock: { now: () => NOW, monotonic: () => 0 },
          warn: () => undefined,
        })
        const call = { decision: mayRun, materiality: 'medium', tool: 'shop/restock', scope: ALICE } as const
        expect(await overrides.find(call)).toBeUndefined()
      }),
    )
  })

  it('I5: runs no longer than it was signed for, whatever is done to the wall clock', async () => {
    const step = fc.record({
      wall: fc.integer({ min: -120 * MINUTE_MS, max: 120 * MINUTE_MS }),
      passed: fc.integer({ min: 0, max: 20 * MINUTE_MS }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        let [now, monotonic] = [NOW, 0]
        const overrides = createOverrides({
          shelf: holding(signedBy([one])),
          keys: trusting(one),
          clock: { now: () => now, monotonic: () => monotonic },
          warn: () => undefined,
        })
        const call = { decision: mayRun, materiality: 'medium', tool: 'shop/restock', scope: ALICE } as const
        expect(await overrides.find(call)).toBeDefined()
        let isOver = false
        for (const { wall, passed } of steps) {
          now += wall + passed
          monotonic += passed
          const found = await overrides.find(call)
          // Over by either clock, once, is over for good.
          isOver ||= now >= NOW + 30 * MINUTE_MS || monotonic >= 30 * MINUTE_MS
          if (isOver) expect(found).toBeUndefined()
        }
      }),
    )
  })

  it('signed by any number of keys that nobody trusts is none', async () => {
    const strangers = [generateSigner(), generateSigner()]
    const text = strangers.reduce(countersign, signedBy([generateSigner()], { tools: ['*'] }))
    const overrides = createOverrides({
      shelf: holding(text),
      keys: trusting(one, two),
      clock: { now: () => NOW, monotonic: () => 0 },
      warn: () => undefined,
    })
    const call = { decision: mayRun, materiality: 'medium', tool: 'shop/restock', scope: ALICE } as const
    expect(await overrides.find(call)).toBeUndefined()
  })
})

const mayRun: Decision = { kind: 'silence', cause: { kind: 'absent', fault: 'unavailable' }, ...grounds }
