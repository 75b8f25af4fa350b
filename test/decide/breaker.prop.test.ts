import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBreaker } from '../../src/decide/breaker.ts'
import { BreakerAtHand, BreakerModel, MOST_RETRY_AFTER_MS, steps, TERMS } from '../support/breaker-model.ts'

describe('a breaker and its model', () => {
  it('agree after every step of every walk', () => {
    const reached = new Map<string, number>()
    fc.assert(
      fc.property(steps, (walk) => {
        const model = new BreakerModel()
        const real = new BreakerAtHand()
        fc.modelRun(() => ({ model, real }), walk)
        for (const move of real.moves) reached.set(move, (reached.get(move) ?? 0) + 1)
      }),
      { numRuns: 500 },
    )
    // Walks that never leave the first state would agree about nothing.
    expect([...reached.keys()].sort()).toEqual([
      'closed > isolated',
      'closed > open',
      'half_open > closed',
      'half_open > isolated',
      'half_open > open',
      'isolated > half_open',
      'open > half_open',
      'open > isolated',
    ])
  })

  it('I10: after any history, a service that answers again is asked once the open time is over, and is closed by its answers', () => {
    fc.assert(
      fc.property(steps, (walk) => {
        const model = new BreakerModel()
        const real = new BreakerAtHand()
        fc.modelRun(() => ({ model, real }), walk)
        const { breaker } = real
        breaker.release()
        // Every question has its end: the policy budget sees to it.
        for (const { passage } of real.passages) passage.settle('abandoned')
        const waitMs = breaker.retryInMs() ?? 0
        expect(waitMs).toBeLessThanOrEqual(MOST_RETRY_AFTER_MS)
        real.now += waitMs
        for (let probe = 0; probe < TERMS.probes; probe += 1) {
          const entered = breaker.enter()
          expect(entered.kind).toBe('passage')
          if (entered.kind === 'passage') entered.settle('answered')
        }
        expect(breaker.state).toBe('closed')
      }),
    )
  })

  it('lets nobody through before the open time went by between two readings of the clock, whatever the clock says', () => {
    const reading = fc.oneof(
      fc.integer({ min: -3_000, max: 3_000 }),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300, -1e300),
    )
    fc.assert(
      fc.property(fc.array(reading, { minLength: 2, maxLength: 20 }), (readings) => {
        const seen: number[] = []
        let next = 0
        const monotonic = () => {
          const now = readings[Math.min(next, readings.length - 1)] ?? 0
          next += 1
          seen.push(now)
          return now
        }
        const breaker = createBreaker({ ...TERMS, failures: 1, clock: { monotonic }, moved: () => undefined })
        const first = breaker.enter()
        if (first.kind === 'passage') first.settle('absent')
        while (next < readings.length) {
          if (breaker.enter().kind === 'refused') continue
          const now = seen.at(-1) ?? 0
          const earned = seen.some((then) => Number.isFinite(now - then) && now - then >= TERMS.openMs)
          expect(earned).toBe(true)
          return
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

/**
 * The same sequence of calls, one at a time, through cockatiel's breaker, which others wrote. The two agree there by contract.
 * Where they differ, and why that is not compared:
 *
 * - Calls that find every probe taken: cockatiel lets them wait for the verdict of the probes and then run; ours refuses them.
 * - Clock: cockatiel reads the wall clock, which a person can turn back; ours reads the monotonic one.
 * - Half open: cockatiel closes after as many *results* as it samples, so it is told to sample `probes` and to bear no failure.
 * - An answer from before a move: cockatiel counts a failure that was asked for while closed also while half open, and opens on it.
 * - Isolation: cockatiel counts handles and goes back to closed; ours is one switch and goes to half open.
 * - Retry-After and callers who go away: cockatiel knows neither.
 */
describe('a breaker and cockatiel', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const calls = fc.tuple(fc.constantFrom('answered' as const, 'absent' as const), fc.integer({ min: 1, max: 4 }))
  const event = fc.oneof(
    calls.map(([outcome, count]) => Array.from({ length: count }, () => outcome)),
    fc.constantFrom([1], [999], [1_000], [1_000]),
  )
  const names = new Map([
    [CircuitState.Closed, 'closed'],
    [CircuitState.Open, 'open'],
    [CircuitState.HalfOpen, 'half_open'],
  ])

  it('refuse, ask and move alike while calls come one at a time', async () => {
    let closings = 0
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 10, maxLength: 40 }), async (events) => {
        const moves: string[] = []
        const theirMoves: string[] = []
        const clock = { at: 0, monotonic: () => clock.at }
        const ours = createBreaker({ ...TERMS, clock, moved: (_, to) => moves.push(to) })
        const theirs = circuitBreaker(handleAll, {
          breaker: new ConsecutiveBreaker(TERMS.failures),
          halfOpenAfter: TERMS.openMs,
          halfOpenSampling: { calls: TERMS.probes, threshold: 0 },
        })
        theirs.onStateChange((state) => theirMoves.push(names.get(state) ?? 'unknown'))
        for (const event of events.flat()) {
          if (typeof event === 'number') {
            clock.at += event
            vi.setSystemTime(Date.now() + event)
            continue
          }
          const entered = ours.enter()
          const asked = await theirs
            .execute(() => (event === 'answered' ? Promise.resolve() : Promise.reject(new Error('no answer'))))
            .then(
              () => true,
              (cause: unknown) => !(cause instanceof BrokenCircuitError),
            )
          expect(entered.kind === 'passage').toBe(asked)
          if (entered.kind === 'passage') entered.settle(event)
          // Both look at the clock when they are asked, so their moves are compared then.
          expect(moves).toEqual(theirMoves)
        }
        closings += moves.filter((move) => move === 'closed').length
      }),
      { numRuns: 300 },
    )
    expect(closings).toBeGreaterThan(0)
  })

  it('part on the late failure of a question from before the outage: it ends their probing and not ours', async () => {
    const clock = { at: 0, monotonic: () => clock.at }
    const ours = createBreaker({ ...TERMS, clock, moved: () => undefined })
    const theirs = circuitBreaker(handleAll, {
      breaker: new ConsecutiveBreaker(TERMS.failures),
      halfOpenAfter: TERMS.openMs,
    })
    const questions = Array.from({ length: 4 }, () => {
      const { promise, reject } = Promise.withResolvers<void>()
      const theirAnswer = theirs.execute(() => promise).catch(() => undefined)
      const passage = ours.enter()
      return async () => {
        reject(new Error('no answer'))
        await theirAnswer
        if (passage.kind === 'passage') passage.settle('absent')
      }
    })
    for (const fail of questions.slice(0, 3)) await fail()
    clock.at += TERMS.openMs
    vi.setSystemTime(Date.now() + TERMS.openMs)
    void theirs.execute(() => new Promise<never>(() => undefined))
    expect([ours.state, theirs.state]).toEqual(['half_open', CircuitState.HalfOpen])
    await questions[3]?.()
    expect([ours.state, theirs.state]).toEqual(['half_open', CircuitState.Open])
  })
})
