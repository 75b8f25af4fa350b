import fc from 'fast-check'
import { expect } from 'vitest'
import { type Breaker, createBreaker, type Outcome, type Passage } from '../../src/decide/breaker.ts'
import type { BreakerState } from '../../src/types.ts'

/** Small numbers, so that random walks reach every state often. */
export const TERMS = { failures: 3, openMs: 1_000, probes: 3 } as const
export const MOST_RETRY_AFTER_MS = 600_000

interface Question {
  readonly asked: number
  settled: boolean
}

/**
 * What a breaker ought to do, written as plainly as possible: a numbered state with absolute times, in which every question
 * bears the number of the state that let it through.
 */
export class BreakerModel {
  readonly moves: string[] = []
  readonly questions: Question[] = []
  now = 0
  #state: BreakerState = 'closed'
  #number = 0
  #absences = 0
  #answers = 0
  #opensAt = 0

  get state(): BreakerState {
    if (this.#state === 'open' && this.now >= this.#opensAt) this.#become('half_open')
    return this.#state
  }

  get retryInMs(): number | undefined {
    return this.state === 'open' ? this.#opensAt - this.now : undefined
  }

  enter(): 'passage' | 'circuit_open' | 'isolated' {
    const state = this.state
    if (state === 'isolated') return 'isolated'
    if (state === 'open') return 'circuit_open'
    if (state === 'half_open' && this.#outstanding() === TERMS.probes) return 'circuit_open'
    this.questions.push({ asked: this.#number, settled: false })
    return 'passage'
  }

  settle(question: Question, outcome: Outcome, retryAfterMs: number): void {
    if (question.settled) return
    question.settled = true
    if (question.asked !== this.#number || outcome === 'abandoned') return
    if (outcome === 'answered') {
      this.#absences = 0
      this.#answers += 1
      if (this.#state === 'half_open' && this.#answers === TERMS.probes) this.#become('closed')
      return
    }
    this.#absences += 1
    const earnedMs = this.#state === 'half_open' || this.#absences === TERMS.failures ? TERMS.openMs : 0
    const pauseMs = Math.max(earnedMs, Math.min(retryAfterMs, MOST_RETRY_AFTER_MS))
    if (pauseMs === 0) return
    this.#opensAt = this.now + pauseMs
    this.#become('open')
  }

  isolate(): void {
    if (this.#state !== 'isolated') this.#become('isolated')
  }

  release(): void {
    if (this.#state === 'isolated') this.#become('half_open')
  }

  #outstanding(): number {
    return this.questions.filter(({ asked, settled }) => asked === this.#number && !settled).length
  }

  #become(to: BreakerState): void {
    this.moves.push(`${this.#state} > ${to}`)
    this.#state = to
    this.#number += 1
    this.#absences = 0
    this.#answers = 0
  }
}

/** The real breaker, with a clock that a test moves by hand and a log of its moves. */
export class BreakerAtHand {
  readonly moves: string[] = []
  readonly passages: { readonly passage: Passage; readonly asked: number; settled: boolean }[] = []
  readonly breaker: Breaker
  now = 0

  constructor() {
    this.breaker = createBreaker({
      ...TERMS,
      clock: { monotonic: () => this.now },
      moved: (from, to) => this.moves.push(`${from} > ${to}`),
    })
  }

  enter(): ReturnType<Breaker['enter']> {
    const entered = this.breaker.enter()
    if (entered.kind === 'passage') {
      this.passages.push({ passage: entered, asked: this.moves.length, settled: false })
    }
    return entered
  }

  /** Questions that were let through in the present state and have not come back. */
  outstanding(): number {
    return this.passages.filter(({ asked, settled }) => asked === this.moves.length && !settled).length
  }
}

type Step = fc.Command<BreakerModel, BreakerAtHand>

/** After each step: the same state, the same moves in the same order, and never more probes than there are places. */
function step(name: string, run: (model: BreakerModel, real: BreakerAtHand) => void): Step {
  return {
    check: () => true,
    run(model, real) {
      run(model, real)
      const is = [real.breaker.state, real.breaker.retryInMs(), real.moves.join(', ')]
      expect(is).toEqual([model.state, model.retryInMs, model.moves.join(', ')])
      if (model.state === 'half_open') expect(real.outstanding()).toBeLessThanOrEqual(TERMS.probes)
    },
    toString: () => name,
  }
}

function enterBoth(model: BreakerModel, real: BreakerAtHand): void {
  const retryInMs = model.retryInMs
  const entered = real.enter()
  expect(entered.kind === 'passage' ? 'passage' : entered.because).toBe(model.enter())
  if (entered.kind === 'refused') expect(entered.retryInMs).toBe(retryInMs)
}

const enter = step('enter', enterBoth)

/** Settles the question asked `ago` questions ago, in whatever state the breaker is by now, also twice. */
function settleBoth(model: BreakerModel, real: BreakerAtHand, ago: number, outcome: Outcome, after: number): void {
  const question = model.questions.at(-1 - ago)
  const asked = real.passages.at(-1 - ago)
  if (question === undefined || asked === undefined) return
  const stale = asked.settled || asked.asked !== real.moves.length
  const movesBefore = real.moves.length
  model.settle(question, outcome, after)
  asked.passage.settle(outcome, after)
  asked.settled = true
  if (stale) expect(real.moves.length).toBe(movesBefore)
}

function settle(ago: number, outcome: Outcome, after: number): Step {
  return step(`settle(${ago} ago, ${outcome}, ${after})`, (model, real) => settleBoth(model, real, ago, outcome, after))
}

/** Calls one after the other that all end alike, as in an outage or after it. */
function calls(count: number, outcome: Outcome): Step {
  return step(`calls(${count}, ${outcome})`, (model, real) => {
    for (let call = 0; call < count; call += 1) {
      enterBoth(model, real)
      settleBoth(model, real, 0, outcome, 0)
    }
  })
}

function advance(ms: number): Step {
  return step(`advance(${ms})`, (model, real) => {
    model.now += ms
    real.now += ms
  })
}

const isolate = step('isolate', (model, real) => {
  model.isolate()
  real.breaker.isolate('a test')
})

const release = step('release', (model, real) => {
  model.release()
  real.breaker.release()
})

const outcome = fc.constantFrom<Outcome[]>('absent', 'absent', 'absent', 'answered', 'answered', 'abandoned')
const retryAfterMs = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(1, 500, 1_500, 599_999, 600_001) },
)

/** Random walks: single questions that overlap, spells of weather, time, and now and then the operator. */
export const steps = fc.commands(
  [
    fc.constant(enter),
    fc.constant(enter),
    fc.tuple(fc.nat(7), outcome, retryAfterMs).map((chosen) => settle(...chosen)),
    fc.tuple(fc.integer({ min: 1, max: 4 }), outcome).map((chosen) => calls(...chosen)),
    fc.constantFrom(1, 499, 999, 1_000, 1_000, 1_500, 600_000).map(advance),
    fc.constantFrom(enter, enter, enter, isolate, release),
  ],
  { maxCommands: 60, size: 'max' },
)
