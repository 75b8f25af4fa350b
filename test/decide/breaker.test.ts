import { describe, expect, it } from 'vitest'
import { type Breaker, createBreaker, type NoPassage, type Outcome, type Passage } from '../../src/decide/breaker.ts'

const SECOND = 1_000
const OPEN_MS = 30 * SECOND

function setUp(numbers: { readonly failures?: number; readonly openMs?: number; readonly probes?: number } = {}) {
  const clock = { at: 5, monotonic: () => clock.at }
  const moves: string[] = []
  const breaker = createBreaker({
    clock,
    ...numbers,
    moved: (from, to, because) => moves.push(`${from} > ${to}: ${because}`),
  })
  return { clock, moves, breaker }
}

function enter(breaker: Breaker): Passage {
  const entered = breaker.enter()
  if (entered.kind === 'refused') throw new Error(`refused: ${entered.because}`)
  return entered
}

function ask(breaker: Breaker, outcome: Outcome, retryAfterMs?: number): void {
  enter(breaker).settle(outcome, retryAfterMs)
}

function opened(numbers = {}) {
  const parts = setUp(numbers)
  for (let call = 0; call < 3; call += 1) ask(parts.breaker, 'absent')
  return parts
}

function halfOpened() {
  const parts = opened()
  parts.clock.at += OPEN_MS
  return parts
}

const refused = (retryInMs?: number): NoPassage => ({
  kind: 'refused',
  because: 'circuit_open',
  ...(retryInMs === undefined ? {} : { retryInMs }),
})

describe('a breaker', () => {
  it('opens on the third absence in a row, and says when it is worth trying again', () => {
    const { breaker, clock, moves } = setUp()
    ask(breaker, 'absent')
    ask(breaker, 'absent')
    expect(breaker.state).toBe('closed')
    ask(breaker, 'absent')
    expect(breaker.state).toBe('open')
    expect(breaker.enter()).toEqual(refused(OPEN_MS))
    clock.at += 12 * SECOND
    expect(breaker.enter()).toEqual(refused(18 * SECOND))
    expect(breaker.retryInMs()).toBe(18 * SECOND)
    expect(moves).toEqual(['closed > open: no answer 3 times in a row'])
  })

  it('stays closed when answers come between the absences', () => {
    const { breaker } = setUp()
    for (const outcome of ['absent', 'absent', 'answered', 'absent', 'absent'] as const) ask(breaker, outcome)
    expect(breaker.state).toBe('closed')
  })

  it('takes a caller that went away for nothing: neither for an absence nor for an answer', () => {
    const { breaker } = setUp()
    for (const outcome of ['absent', 'abandoned', 'abandoned', 'absent', 'abandoned'] as const) ask(breaker, outcome)
    expect(breaker.state).toBe('closed')
    ask(breaker, 'absent')
    expect(breaker.state).toBe('open')
  })

  it('lets three questions through once the time is over, and refuses the fourth at once', () => {
    const { breaker, clock } = opened()
    clock.at += OPEN_MS - 1
    expect(breaker.enter()).toEqual(refused(1))
    clock.at += 1
    expect([enter(breaker), enter(breaker), enter(breaker)]).toHaveLength(3)
    expect(breaker.enter()).toEqual(refused())
    expect(breaker.state).toBe('half_open')
  })

  it('closes after three answered probes, also when they come one at a time', () => {
    const { breaker, moves } = halfOpened()
    ask(breaker, 'answered')
    ask(breaker, 'answered')
    expect(breaker.state).toBe('half_open')
    ask(breaker, 'answered')
    expect(breaker.state).toBe('closed')
    expect(moves.slice(1)).toEqual([
      'open > half_open: 30 s without a question are over',
      'half_open > closed: 3 probes were answered',
    ])
  })

  it('opens again for the whole time on the first probe without an answer', () => {
    const { breaker } = halfOpened()
    ask(breaker, 'answered')
    ask(breaker, 'answered')
    ask(breaker, 'absent')
    expect(breaker.enter()).toEqual(refused(OPEN_MS))
  })

  it('gives the place of a probe that its caller abandoned to the next', () => {
    const { breaker } = halfOpened()
    for (let call = 0; call < 10; call += 1) ask(breaker, 'abandoned')
    expect(breaker.state).toBe('half_open')
    expect(breaker.enter().kind).toBe('passage')
  })

  it('does not close, open or count on the word of a question from before it moved', () => {
    const { breaker, clock } = setUp()
    const slow = Array.from({ length: 6 }, () => enter(breaker))
    for (const passage of slow.splice(0, 3)) passage.settle('absent')
    clock.at += OPEN_MS
    const probe = enter(breaker)
    slow[0]?.settle('absent')
    expect(breaker.state).toBe('half_open')
    slow[1]?.settle('answered')
    probe.settle('answered')
    ask(breaker, 'answered')
    expect(breaker.state).toBe('half_open')
    ask(breaker, 'answered')
    slow[2]?.settle('absent', 60 * SECOND)
    expect(breaker.state).toBe('closed')
  })

  it('counts one question once', () => {
    const { breaker } = setUp()
    const passage = enter(breaker)
    for (let word = 0; word < 5; word += 1) passage.settle('absent')
    expect(breaker.state).toBe('closed')
  })
})

describe('a service that asks to be left alone', () => {
  it('is left alone at once, for as long as it asks', () => {
    const { breaker, clock, moves } = setUp()
    ask(breaker, 'absent', 2 * SECOND)
    expect(breaker.enter()).toEqual(refused(2 * SECOND))
    expect(moves).toEqual(['closed > open: the service asks to be left alone for 2 s'])
    clock.at += 2 * SECOND
    expect(breaker.enter().kind).toBe('passage')
  })

  it('is left alone longer than the open time when it asks for that, also by a probe', () => {
    const { breaker, clock } = setUp()
    for (const after of [undefined, undefined, 45 * SECOND]) ask(breaker, 'absent', after)
    expect(breaker.retryInMs()).toBe(45 * SECOND)
    clock.at += 45 * SECOND
    ask(breaker, 'absent', 50 * SECOND)
    expect(breaker.retryInMs()).toBe(50 * SECOND)
  })

  it('cannot shorten the open time that its absences earned', () => {
    const { breaker, clock } = setUp()
    for (const after of [undefined, undefined, 1 * SECOND]) ask(breaker, 'absent', after)
    expect(breaker.retryInMs()).toBe(OPEN_MS)
    clock.at += OPEN_MS
    ask(breaker, 'absent', 1 * SECOND)
    expect(breaker.retryInMs()).toBe(OPEN_MS)
  })

  it.each([Number.MAX_VALUE, Number.POSITIVE_INFINITY, 601 * SECOND])(
    'is believed up to ten minutes: %d ms',
    (after) => {
      const { breaker } = setUp()
      ask(breaker, 'absent', after)
      expect(breaker.retryInMs()).toBe(600 * SECOND)
    },
  )

  it.each([0, -1, Number.NaN])('is absent like any other when it names no time: %d ms', (after) => {
    const { breaker } = setUp()
    ask(breaker, 'absent', after)
    ask(breaker, 'absent', after)
    expect(breaker.state).toBe('closed')
    ask(breaker, 'absent', after)
    expect(breaker.retryInMs()).toBe(OPEN_MS)
  })
})

describe('an isolated point', () => {
  it('is asked nothing, however much time goes by and whatever earlier questions say', () => {
    const { breaker, clock } = setUp()
    const before = enter(breaker)
    breaker.isolate('it permits too much')
    before.settle('answered')
    for (const at of [OPEN_MS, 1e12, Number.NaN, Number.POSITIVE_INFINITY]) {
      clock.at = at
      expect(breaker.enter()).toEqual({ kind: 'refused', because: 'isolated' })
      expect(breaker.state).toBe('isolated')
      expect(breaker.retryInMs()).toBeUndefined()
    }
  })

  it('is isolated out of every state, once, and goes to probes when it is released', () => {
    for (const { breaker, moves } of [setUp(), opened(), halfOpened()]) {
      const from = breaker.state
      moves.length = 0
      breaker.isolate('a drill')
      breaker.isolate('a drill')
      expect(moves).toEqual([`${from} > isolated: a drill`])
      breaker.release()
      expect(breaker.state).toBe('half_open')
      ask(breaker, 'absent')
      expect(breaker.state).toBe('open')
    }
  })

  it('is the only one that release touches: an outage is not ended by a word', () => {
    const { breaker, moves } = opened()
    breaker.release()
    expect(breaker.state).toBe('open')
    expect(moves).toHaveLength(1)
  })
})

describe('a breaker among broken parts', () => {
  it('is not disturbed by a listener that throws', () => {
    const clock = { at: 0, monotonic: () => clock.at }
    const breaker = createBreaker({
      clock,
      failures: 1,
      moved: () => {
        throw new Error('the listener failed')
      },
    })
    ask(breaker, 'absent')
    expect(breaker.state).toBe('open')
    clock.at = OPEN_MS
    for (let call = 0; call < 3; call += 1) ask(breaker, 'answered')
    expect(breaker.state).toBe('closed')
  })

  it('passes nobody on the word of a listener that isolates it while it moves', () => {
    const clock = { at: 0, monotonic: () => clock.at }
    const breaker: Breaker = createBreaker({
      clock,
      failures: 1,
      moved: (_, to) => {
        if (to === 'half_open') breaker.isolate('not yet')
      },
    })
    ask(breaker, 'absent')
    clock.at = OPEN_MS
    expect(breaker.enter()).toEqual({ kind: 'refused', because: 'isolated' })
  })

  it.each([
    [Number.NaN, 40],
    [Number.NEGATIVE_INFINITY, 40],
    [Number.POSITIVE_INFINITY, 40],
    [-1e9, -1e9],
  ])('stays open when the clock says %d, and waits the whole time again from %d', (bad, again) => {
    const { breaker, clock } = opened()
    clock.at = bad
    expect(breaker.enter()).toEqual(refused(OPEN_MS))
    clock.at = again
    expect(breaker.state).toBe('open')
    clock.at = again + OPEN_MS - 1
    expect(breaker.state).toBe('open')
    clock.at = again + OPEN_MS
    expect(breaker.enter().kind).toBe('passage')
  })

  it.each([
    ['failures', 0],
    ['failures', Number.NaN],
    ['failures', 2.5],
    ['openMs', 0],
    ['openMs', Number.POSITIVE_INFINITY],
    ['probes', 0],
    ['probes', -3],
  ])('refuses to be made with %s of %d: it could never open, or never close', (name, value) => {
    expect(() => setUp({ [name]: value })).toThrow(`${name} must be a whole number of at least 1`)
  })
})
