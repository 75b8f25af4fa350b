import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CLOSED, checkFailModes, createOpenBudget, rule } from '../../src/decide/fail-mode.ts'
import type { Decision, FailModes, Materiality, RefusalCode, SilenceCause } from '../../src/types.ts'

const OPEN: FailModes = { ...CLOSED, low: 'open' }
const TIERS: readonly Materiality[] = ['low', 'medium', 'high']

const SILENCES: readonly (readonly [SilenceCause, RefusalCode])[] = [
  [{ kind: 'no_permit' }, 'no_permit'],
  [{ kind: 'requestable', requires: 'confirmation' }, 'approval_required'],
  [{ kind: 'absent', fault: 'timeout' }, 'policy_timeout'],
  [{ kind: 'absent', fault: 'unavailable' }, 'policy_unavailable'],
  [{ kind: 'absent', fault: 'circuit_open' }, 'circuit_open'],
  [{ kind: 'wrong', fault: 'policy_error', detail: '' }, 'policy_error'],
  [{ kind: 'wrong', fault: 'unusable_policy', detail: '' }, 'policy_error'],
  [{ kind: 'wrong', fault: 'malformed', detail: '' }, 'policy_wrong_answer'],
  [{ kind: 'wrong', fault: 'stale', detail: '' }, 'policy_stale'],
  [{ kind: 'wrong', fault: 'isolated', detail: '' }, 'isolated'],
]

function silence(cause: SilenceCause): Decision {
  return { kind: 'silence', cause, determining: [], errors: [] }
}

function handClock() {
  const clock = { at: 0, monotonic: () => clock.at }
  return clock
}

const plenty = () => createOpenBudget({ clock: handClock() })

describe('what becomes of a decision', () => {
  it.each(SILENCES)('%j is refused with its own code at every tier when nothing is open', (cause, code) => {
    for (const tier of TIERS) {
      expect(rule(silence(cause), tier, CLOSED, plenty(), 'a/b')).toMatchObject({ kind: 'refuse', code })
    }
  })

  it("runs a permit on the policy's word, and refuses a deny", () => {
    const grounds = { determining: ['a'], errors: [] }
    expect(rule({ kind: 'permit', obligations: [], ...grounds }, 'high', CLOSED, plenty(), 'a/b')).toMatchObject({
      kind: 'run',
      basis: 'pdp',
    })
    expect(rule({ kind: 'deny', ...grounds }, 'low', OPEN, plenty(), 'a/b')).toMatchObject({
      kind: 'refuse',
      code: 'denied_by_policy',
    })
  })

  it('I5: fails open for low and for absence alone', () => {
    const opened: string[] = []
    for (const tier of TIERS) {
      for (const [cause] of SILENCES) {
        const ruling = rule(silence(cause), tier, OPEN, plenty(), 'a/b')
        if (ruling.kind === 'run') opened.push(`${tier} ${cause.kind} ${ruling.basis}`)
      }
    }
    expect(new Set(opened)).toEqual(new Set(['low absent fail_open']))
  })

  it('I5: takes nothing from the budget for a call that it does not open', () => {
    const budget = plenty()
    for (let taken = 1; taken < 10; taken += 1) budget.take('a/b')
    for (const [cause] of SILENCES) {
      rule(silence(cause), 'high', OPEN, budget, 'a/b')
      if (cause.kind !== 'absent') rule(silence(cause), 'low', OPEN, budget, 'a/b')
      else rule(silence(cause), 'low', CLOSED, budget, 'a/b')
    }
    expect([budget.take('a/b'), budget.take('a/b')]).toEqual([true, false])
  })

  it('I5: refuses what a plain JavaScript caller made up', () => {
    const absent = silence({ kind: 'absent', fault: 'timeout' })
    const made = { low: 'open', medium: 'open', high: 'open' } as unknown as FailModes
    expect(rule(absent, 'high', made, plenty(), 'a/b').kind).toBe('refuse')
    expect(rule(absent, 'medium', made, plenty(), 'a/b').kind).toBe('refuse')
    expect(rule(absent, 'tiny' as Materiality, made, plenty(), 'a/b').kind).toBe('refuse')
  })
})

describe('the budget of openings', () => {
  it('holds ten a minute for a tool and thirty for a gate', () => {
    const budget = plenty()
    const taken = (tool: string): number => Array.from({ length: 20 }, () => budget.take(tool)).filter(Boolean).length
    expect([taken('a'), taken('b'), taken('c'), taken('d')]).toEqual([10, 10, 10, 0])
  })

  it('gives room again a minute after each opening, not all at once', () => {
    const clock = handClock()
    const budget = createOpenBudget({ clock })
    const taken = (): number => Array.from({ length: 20 }, () => budget.take('a')).filter(Boolean).length
    expect(budget.take('a')).toBe(true)
    clock.at = 30_000
    expect(taken()).toBe(9)
    clock.at = 59_999
    expect(taken()).toBe(0)
    clock.at = 60_000
    expect(taken()).toBe(1)
  })

  it('I5: never lets more through in any minute, whatever the order of calls', () => {
    const call = fc.record({
      tool: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      afterMs: fc.integer({ min: 0, max: 9_000 }),
    })
    fc.assert(
      fc.property(fc.array(call, { maxLength: 150 }), (calls) => {
        const clock = handClock()
        const budget = createOpenBudget({ clock })
        const opened: { tool: string; at: number }[] = []
        for (const { tool, afterMs } of calls) {
          clock.at += afterMs
          if (budget.take(tool)) opened.push({ tool, at: clock.at })
          const minute = opened.filter(({ at }) => clock.at - at < 60_000)
          expect(minute.length).toBeLessThanOrEqual(30)
          expect(minute.filter((one) => one.tool === tool).length).toBeLessThanOrEqual(10)
        }
      }),
    )
  })
})

describe('what an operator may set', () => {
  it('is closed unless low is opened', () => {
    expect(checkFailModes(undefined)).toEqual(CLOSED)
    expect(checkFailModes({})).toEqual(CLOSED)
    expect(checkFailModes({ low: 'open' })).toEqual(OPEN)
    expect(checkFailModes({ low: 'closed', medium: 'closed', high: 'closed' })).toEqual(CLOSED)
  })

  it.each<[string, unknown]>([
    ['medium open', { medium: 'open' }],
    ['high open', { low: 'open', high: 'open' }],
    ['another word', { low: 'yes' }],
    ['true', { low: true }],
    ['a tier that does not exist', { lowest: 'open' }],
    ['a list', ['open']],
    ['a word for all', 'open'],
    ['null', null],
  ])('I5: refuses %s when the gate is created', (_, value) => {
    expect(() => checkFailModes(value)).toThrowError(expect.objectContaining({ code: 'ERR_CONFIG' }))
  })
})
