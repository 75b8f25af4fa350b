import fc from 'fast-check'
import { TimeoutError } from 'p-timeout'
import { describe, expect, it } from 'vitest'
import { AbsentAnswer } from '../../src/decide/absent.ts'
import { ask } from '../../src/decide/deadline.ts'
import type { Decision, PolicyDecisionPoint } from '../../src/types.ts'
import { evaluationRequest } from '../support/evaluation.ts'

const PERMIT: Decision = { kind: 'permit', obligations: [], determining: ['a'], errors: [] }
const TIMED_OUT = { kind: 'silence', cause: { kind: 'absent', fault: 'timeout' } }
const REQUEST = evaluationRequest()

function pointOf(evaluate: PolicyDecisionPoint['evaluate']): PolicyDecisionPoint {
  return {
    id: 'scripted',
    policyDigest: 'none',
    rederivable: false,
    readsSession: false,
    register: () => [],
    explain: () => ({ constraints: [], policies: [] }),
    evaluate,
  }
}

function throwing(cause: unknown): never {
  throw cause
}

/** Whatever asks what this is gets an error. */
function untouchable(): object {
  return new Proxy({}, { getPrototypeOf: () => throwing(new Error('boo')) })
}

/** A clock that a test moves by hand. */
function handClock() {
  const clock = { at: 0, now: () => 0, monotonic: () => clock.at }
  return clock
}

function terms(budgetMs: number, clock = handClock(), signal?: AbortSignal) {
  return { budgetMs, clock, signal, schema: undefined }
}

describe('asking a policy point', () => {
  it('answers on the same turn when the point does', () => {
    expect(
      ask(
        pointOf(() => PERMIT),
        REQUEST,
        terms(10),
      ),
    ).toEqual(PERMIT)
  })

  it('I4: a permit that took longer than the budget does not count, also when it came at once', () => {
    const clock = handClock()
    const slow = pointOf(() => {
      clock.at = 10
      return PERMIT
    })
    expect(ask(slow, REQUEST, terms(10, clock))).toMatchObject(TIMED_OUT)
    clock.at = 0
    expect(ask(slow, REQUEST, terms(10.5, clock))).toEqual(PERMIT)
  })

  it('I4: a permit that reaches us before its expired timer does not count', async () => {
    const clock = handClock()
    let answer = (_: Decision): void => undefined
    const asked = ask(
      pointOf(
        () =>
          new Promise((resolve) => {
            answer = resolve
          }),
      ),
      REQUEST,
      terms(1_000, clock),
    )
    // The loop was blocked: by the clock the budget is long gone, and the timer has not fired.
    clock.at = 5_000
    answer(PERMIT)
    expect(await asked).toMatchObject(TIMED_OUT)
  })

  it('stops waiting for a point that hangs, and tells it so', async () => {
    let told: AbortSignal | undefined
    const hanging = pointOf((_, { signal }) => {
      told = signal
      return new Promise(() => undefined)
    })
    expect(await ask(hanging, REQUEST, terms(5))).toMatchObject(TIMED_OUT)
    expect(told?.aborted).toBe(true)
  })

  it('stops waiting when the caller does; that is no absence, so it opens nothing', async () => {
    const caller = new AbortController()
    let told: AbortSignal | undefined
    const hanging = pointOf((_, { signal }) => {
      told = signal
      return new Promise(() => undefined)
    })
    const asked = ask(hanging, REQUEST, terms(60_000, handClock(), caller.signal))
    caller.abort()
    expect(await asked).toMatchObject({ cause: { kind: 'wrong' } })
    expect(told?.aborted).toBe(true)
  })

  it('does not ask at all for a caller who has gone, nor believe an answer that came while they went', () => {
    let asked = 0
    const caller = new AbortController()
    const counting = pointOf(() => {
      asked += 1
      caller.abort()
      return PERMIT
    })
    expect(ask(counting, REQUEST, terms(10, handClock(), caller.signal))).toMatchObject({ cause: { kind: 'wrong' } })
    expect(ask(counting, REQUEST, terms(10, handClock(), caller.signal))).toMatchObject({ cause: { kind: 'wrong' } })
    expect(asked).toBe(1)
  })

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('boom')
      },
    ],
    [
      'throws nothing',
      () => {
        throw undefined
      },
    ],
    ['rejects', () => Promise.reject(new Error('boom'))],
    [
      'throws what only looks like an absence',
      () => {
        throw Object.assign(new Error('x'), { name: 'AbsentAnswer', fault: 'timeout' })
      },
    ],
    [
      'throws a timeout of its own',
      () => {
        throw new DOMException('x', 'TimeoutError')
      },
    ],
    [
      "rejects with a timeout of the library that the gate's own timer comes from",
      () => Promise.reject(new TimeoutError()),
    ],
    ['throws an error whose message is no text', () => throwing(Object.assign(new Error(), { message: 5 }))],
    [
      'rejects with an error whose message is no text',
      () => Promise.reject(Object.assign(new Error(), { message: 5 })),
    ],
    ['throws what throws when looked at', () => throwing(untouchable())],
    ['rejects with what throws when looked at', () => Promise.reject(untouchable())],
  ])('I5: a point that %s is wrong, not absent', async (_, evaluate) => {
    expect(await ask(pointOf(evaluate), REQUEST, terms(1_000))).toMatchObject({
      kind: 'silence',
      cause: { kind: 'wrong', fault: 'policy_error' },
    })
  })

  it('shows an operator no control characters and no hidden text of an error that a point threw, and not all of a long one', () => {
    const detailOf = (message: string): string => {
      const answer = ask(
        pointOf(() => throwing(new Error(message))),
        REQUEST,
        terms(1_000),
      )
      return (answer as { readonly cause: { readonly detail: string } }).cause.detail
    }
    expect(detailOf('no\n\u001b[2Jpermit\u202e')).toBe('no\\u{a}\\u{1b}[2Jpermit\\u{202e}')
    expect(detailOf('x'.repeat(600))).toBe(`${'x'.repeat(511)}…`)
  })

  it.each(['timeout', 'unavailable', 'circuit_open'] as const)(
    'knows an absence (%s) that a point marks as one',
    async (fault) => {
      const absent = { kind: 'silence', cause: { kind: 'absent', fault } }
      expect(
        ask(
          pointOf(() => {
            throw new AbsentAnswer(fault, 'gone')
          }),
          REQUEST,
          terms(1_000),
        ),
      ).toMatchObject(absent)
      expect(
        await ask(
          pointOf(() => Promise.reject(new AbsentAnswer(fault, 'gone'))),
          REQUEST,
          terms(1_000),
        ),
      ).toMatchObject(absent)
    },
  )

  it.each<[string, () => unknown]>([
    ['a promise in name only', () => Object.create(Promise.prototype)],
    [
      'a promise with a `then` of its own',
      // biome-ignore lint/suspicious/noThenProperty: the forgery is the point
      () => Object.assign(Promise.resolve('x'), { then: (done: (value: unknown) => void) => done(PERMIT) }),
    ],
    ['a Proxy of a promise', () => new Proxy(Promise.resolve(PERMIT), {})],
    ['a Proxy that throws when looked at', () => untouchable()],
  ])('I4: %s is no permit', async (_, evaluate) => {
    expect(await ask(pointOf(evaluate), REQUEST, terms(1_000))).toMatchObject({
      kind: 'silence',
      cause: { kind: 'wrong' },
    })
  })

  it.each([Number.NaN, 0, -1])('I4: a budget of %s lets nothing through', async (budgetMs) => {
    expect(
      ask(
        pointOf(() => PERMIT),
        REQUEST,
        terms(budgetMs),
      ),
    ).toMatchObject(TIMED_OUT)
    expect(
      await ask(
        pointOf(() => Promise.resolve(PERMIT)),
        REQUEST,
        terms(budgetMs),
      ),
    ).toMatchObject(TIMED_OUT)
  })

  it.each([2 ** 31, Number.POSITIVE_INFINITY])(
    'waits for an answer under a budget of %s, which no timer can hold',
    async (budgetMs) => {
      const soon = pointOf(() => new Promise((resolve) => setTimeout(() => resolve(PERMIT), 5)))
      expect(await ask(soon, REQUEST, terms(budgetMs))).toEqual(PERMIT)
    },
  )

  it('I4: at whatever moment answer, clock and caller meet, only a permit inside the budget is one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 20 }), fc.boolean(), fc.boolean(), async (tookMs, later, gone) => {
        const clock = handClock()
        const caller = new AbortController()
        const point = pointOf(() => {
          clock.at = tookMs
          if (gone) caller.abort()
          return later ? Promise.resolve(PERMIT) : PERMIT
        })
        const decision = await ask(point, REQUEST, terms(10, clock, caller.signal))
        expect(decision.kind === 'permit').toBe(tookMs < 10 && !gone)
      }),
      { numRuns: 100 },
    )
  })
})
