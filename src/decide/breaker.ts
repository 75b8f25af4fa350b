import { HoldpointError } from '../errors.ts'
import type { BreakerState, Clock } from '../types.ts'

/** What became of one question. A wrong answer is `answered`: somebody spoke. `abandoned` says nothing about the service. */
export type Outcome = 'answered' | 'absent' | 'abandoned'

/** The right to ask once. Whoever holds it settles it, whatever happens: a probe that never is keeps its place. */
export interface Passage {
  readonly kind: 'passage'
  /**
   * Says what became of the question. The first word counts, and it counts only for the state under which the question was
   * asked: an answer from before the breaker moved moves nothing.
   *
   * @param retryAfterMs how long an absent service asks to be left alone (`Retry-After`, RFC 9110 section 10.2.3)
   */
  settle(outcome: Outcome, retryAfterMs?: number): void
}

/** No question may be asked now. */
export interface NoPassage {
  readonly kind: 'refused'
  readonly because: 'circuit_open' | 'isolated'
  /** How long until it is worth trying, ms, where a clock decides that. */
  readonly retryInMs?: number
}

/** Keeps questions away from one policy decision point that gives no answers. */
export interface Breaker {
  readonly state: BreakerState
  /** Asks to ask. Never waits: a call that finds every probe taken is refused at once. */
  enter(): Passage | NoPassage
  /** The operator's switch: nothing passes until it is released, whatever the clock says. */
  isolate(because: string): void
  /** Undoes `isolate`. Probes go first: while it was isolated nobody saw how the service does. */
  release(): void
  /** How long it stays open, ms; `undefined` when it is not open. */
  retryInMs(): number | undefined
}

/** What a breaker is made of. */
export interface BreakerTerms {
  readonly clock: Pick<Clock, 'monotonic'>
  /** Absences in a row that open it. Default 3. */
  readonly failures?: number
  /** How long it stays open, ms. Default 30 000. */
  readonly openMs?: number
  /** Questions at once while half open, and answers that then close it. Default 3. */
  readonly probes?: number
  /** Told after every move. What it throws is dropped: whoever listens cannot hold the breaker up. */
  readonly moved: (from: BreakerState, to: BreakerState, because: string) => void
}

interface Closed {
  readonly kind: 'closed'
  absences: number
}

interface Open {
  readonly kind: 'open'
  readonly forMs: number
  since: number
}

interface HalfOpen {
  readonly kind: 'half_open'
  asking: number
  answered: number
}

/** A new object for every move: a passage remembers the one it entered under, and that is its generation. */
type Phase = Closed | Open | HalfOpen | { readonly kind: 'isolated' }

/** No service keeps itself unasked for longer than this. */
const LONGEST_RETRY_AFTER_MS = 600_000

/**
 * Creates a breaker for one policy decision point. It has no timers: an open breaker is half open once somebody looks and
 * the monotonic clock says that the time is over.
 *
 * | state | moves on |
 * |---|---|
 * | closed | `failures` absences in a row → open for `openMs`; one absence with a Retry-After → open for that long |
 * | open | time over → half open |
 * | half open | `probes` answers → closed; one absence → open for `openMs`, or its Retry-After if that is longer |
 * | any | isolated by the operator; released → half open |
 *
 * A Retry-After is believed up to ten minutes. A single one opens only for the time it names: being asked to come back in a
 * second is no reason to refuse everybody for thirty.
 *
 * INVARIANT I10: once the service answers again, the first call after the open time is asked, and `probes` answers close it.
 *
 * @throws HoldpointError ERR_CONFIG for a number that could never open or never close it
 */
export function createBreaker(terms: BreakerTerms): Breaker {
  const { clock, failures = 3, openMs = 30_000, probes = 3, moved } = terms
  check('failures', failures)
  check('openMs', openMs)
  check('probes', probes)

  let phase: Phase = { kind: 'closed', absences: 0 }

  function move(to: Phase, because: string): void {
    const from = phase.kind
    phase = to
    try {
      moved(from, to.kind, because)
    } catch {
      // Said in `moved`.
    }
  }

  function open(forMs: number, because: string): void {
    move({ kind: 'open', forMs, since: clock.monotonic() }, because)
  }

  function probe(because: string): void {
    move({ kind: 'half_open', asking: 0, answered: 0 }, because)
  }

  /** A clock that went back behind the start, or says no number, starts the time again: in doubt nobody passes. */
  function leftMs(pause: Open): number {
    const now = clock.monotonic()
    const waitedMs = now - pause.since
    if (waitedMs >= 0 && Number.isFinite(waitedMs)) return Math.max(0, pause.forMs - waitedMs)
    pause.since = now
    return pause.forMs
  }

  /** The phase as of now, and how long it lasts if it is a pause. */
  function look(): { readonly at: Phase; readonly retryInMs?: number } {
    if (phase.kind !== 'open') return { at: phase }
    const retryInMs = leftMs(phase)
    if (retryInMs > 0) return { at: phase, retryInMs }
    probe(`${seconds(phase.forMs)} without a question are over`)
    return { at: phase }
  }

  function passage(entered: Closed | HalfOpen): Passage {
    let settled = false
    return {
      kind: 'passage',
      settle(outcome, retryAfterMs) {
        if (settled) return
        settled = true
        if (phase !== entered) return
        if (entered.kind === 'closed') settleCall(entered, outcome, retryAfterMs)
        else settleProbe(entered, outcome, retryAfterMs)
      },
    }
  }

  function settleCall(entered: Closed, outcome: Outcome, retryAfterMs: number | undefined): void {
    if (outcome === 'answered') entered.absences = 0
    if (outcome !== 'absent') return
    entered.absences += 1
    const askedMs = believed(retryAfterMs)
    if (entered.absences >= failures) open(Math.max(openMs, askedMs), `no answer ${failures} times in a row`)
    else if (askedMs > 0) open(askedMs, `the service asks to be left alone for ${seconds(askedMs)}`)
  }

  function settleProbe(entered: HalfOpen, outcome: Outcome, retryAfterMs: number | undefined): void {
    entered.asking -= 1
    if (outcome === 'absent') open(Math.max(openMs, believed(retryAfterMs)), 'a probe got no answer')
    if (outcome !== 'answered') return
    entered.answered += 1
    if (entered.answered >= probes) move({ kind: 'closed', absences: 0 }, `${probes} probes were answered`)
  }

  return {
    get state() {
      return look().at.kind
    },
    enter() {
      const { at, retryInMs } = look()
      switch (at.kind) {
        case 'closed':
          return passage(at)
        case 'half_open':
          if (at.asking >= probes) return { kind: 'refused', because: 'circuit_open' }
          at.asking += 1
          return passage(at)
        case 'open':
          return { kind: 'refused', because: 'circuit_open', ...(retryInMs === undefined ? {} : { retryInMs }) }
        case 'isolated':
          return { kind: 'refused', because: 'isolated' }
      }
    },
    isolate(because) {
      if (phase.kind !== 'isolated') move({ kind: 'isolated' }, because)
    },
    release() {
      if (phase.kind === 'isolated') probe('released by the operator')
    },
    retryInMs: () => look().retryInMs,
  }
}

/** A Retry-After as far as it is believed, ms; 0 where there is none. */
function believed(retryAfterMs: number | undefined): number {
  return retryAfterMs !== undefined && retryAfterMs > 0 ? Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS) : 0
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1_000)} s`
}

function check(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return
  throw new HoldpointError('ERR_CONFIG', `${name} must be a whole number of at least 1`, { at: name })
}
