import pTimeout from 'p-timeout'
import { shown } from '../bytes/shown.ts'
import type { Clock, Decision, EvaluationRequest, JsonSchema, PolicyDecisionPoint, SilenceCause } from '../types.ts'
import { AbsentAnswer, WrongAnswer } from './absent.ts'
import { malformed, readAnswer } from './answer.ts'

/** What a question to a policy decision point is asked under. */
export interface AskTerms {
  /** The policy budget, ms: more than 0. A human's waiting never counts against it. */
  readonly budgetMs: number
  readonly clock: Clock
  /** The caller's own signal: once aborted, no answer counts. */
  readonly signal: AbortSignal | undefined
  /** The tool's input schema, for points that map arguments by it. */
  readonly schema: JsonSchema | undefined
  /** Told when a point that did not answer in time says something other than a permit after all. */
  readonly late?: (point: string) => void
}

/** The longest delay that a timer of the platform holds; a longer one would fire at once, or never. */
const LONGEST_DELAY_MS = 2 ** 31 - 1
/** An answer is waited for in slices, ms, so that it shows when the event loop was blocked. */
const SLICE_MS = 50
/** A slice that ends this much too late was blocked, ms. */
const LATE_MS = 25
/** Blocked for longer than this, ms, and for a fifth of the budget, the gate was silent and not the point. */
const STALL_MS = 100
/** Long enough for the event loop to look at its sockets once. */
const ONE_TURN_MS = 1
const LONGEST_DETAIL = 512
const THREW_SOMETHING = 'the policy point threw something'

/**
 * Asks a policy decision point. A point that answers at once is read at once, without a promise. Never throws, never
 * rejects: whatever goes wrong is a silence with its cause.
 */
export function ask(
  point: PolicyDecisionPoint,
  request: EvaluationRequest,
  terms: AskTerms,
): Decision | Promise<Decision> {
  return within((call) => point.evaluate(request, call), { ...terms, point: point.id })
}

/** The terms of one question, and whose answer it wants. */
interface QuestionTerms extends AskTerms {
  readonly point: string
}

/**
 * Puts one question, and reads what comes back as a decision.
 *
 * INVARIANT I4: a verdict counts only if the monotonic clock says that it is inside the budget when it is read. The timer
 * only wakes us: when the event loop was blocked, a late permit reaches us before an expired timer does.
 */
export function within(
  put: (call: { readonly signal: AbortSignal; readonly schema: JsonSchema | undefined }) => unknown,
  terms: QuestionTerms,
): Decision | Promise<Decision> {
  const askedAt = terms.clock.monotonic()
  if (terms.signal?.aborted === true) return ABANDONED
  if (!(terms.budgetMs > 0)) return TIMED_OUT
  const call = question(terms.schema)
  let answer: unknown
  try {
    answer = put(call.terms)
    // Looking at an answer may throw as well: it may be a Proxy.
    if (answer instanceof Promise) return awaitAnswer(answer, call, askedAt, terms)
  } catch (cause) {
    return inTime(faultOf(cause), askedAt, terms)
  }
  return inTime(readAnswer(answer), askedAt, terms)
}

interface Question {
  readonly terms: { readonly signal: AbortSignal; readonly schema: JsonSchema | undefined }
  abort(): void
}

/** What a point is handed beside the request. The signal is made when first looked at: an embedded point never does. */
function question(schema: JsonSchema | undefined): Question {
  let controller: AbortController | undefined
  const terms = {
    schema,
    get signal(): AbortSignal {
      controller ??= new AbortController()
      return controller.signal
    },
  }
  return { terms, abort: () => controller?.abort() }
}

async function awaitAnswer(
  answer: Promise<unknown>,
  call: Question,
  askedAt: number,
  terms: QuestionTerms,
): Promise<Decision> {
  const { budgetMs, clock, signal } = terms
  const leftMs = Math.min(Math.max(1, Math.ceil(budgetMs - (clock.monotonic() - askedAt))), LONGEST_DELAY_MS)
  // The intrinsic `then`: a subclass or a forgery with a `then` of its own is refused by its brand, not trusted.
  const settled = new Promise<Decision>((resolve) => {
    Promise.prototype.then.call(
      answer,
      (value) => resolve(readAnswer(value)),
      (cause) => resolve(faultOf(cause)),
    )
  })
  try {
    let blockedMs = 0
    // Counted by the timers as well: a clock that stands still ends the waiting too.
    for (let waitedMs = 0; waitedMs < leftMs; ) {
      const sliceMs = Math.min(SLICE_MS, leftMs - waitedMs)
      const from = clock.monotonic()
      const decision = await heard(settled, sliceMs, signal)
      if (decision !== TIMED_OUT) return inTime(decision, askedAt, terms)
      const tookMs = clock.monotonic() - from
      if (tookMs - sliceMs > LATE_MS) blockedMs += tookMs - sliceMs
      waitedMs += Math.max(sliceMs, tookMs)
    }
    // When the event loop was blocked, what came meanwhile has not been looked at: a word against the call must not be lost.
    const last = await heard(settled, ONE_TURN_MS, signal)
    if (last !== TIMED_OUT) return inTime(last, askedAt, terms)
    hearLate(answer, terms)
    return inTime(blockedMs > Math.max(STALL_MS, budgetMs / 5) ? STALLED : TIMED_OUT, askedAt, terms)
  } finally {
    call.abort()
  }
}

/** Waits for an answer. That it did not come is our timer's word alone, never an error of the point. Never rejects. */
async function heard(
  settled: Promise<Decision>,
  milliseconds: number,
  signal: AbortSignal | undefined,
): Promise<Decision> {
  try {
    const fallback = (): Decision => TIMED_OUT
    return await pTimeout(settled, { milliseconds, fallback, ...(signal === undefined ? {} : { signal }) })
  } catch (cause) {
    return faultOf(cause)
  }
}

/**
 * A decision as it counts now, once it has been read: reading takes time too. A permit that is late is no answer; whatever else
 * was said stands, so that nothing opens past it.
 */
export function inTime(decision: Decision, askedAt: number, { clock, budgetMs, signal }: AskTerms): Decision {
  if (signal?.aborted === true) return ABANDONED
  if (decision.kind !== 'permit') return decision
  // Written so that a clock or a budget that is not a number refuses.
  return clock.monotonic() - askedAt < budgetMs ? decision : TIMED_OUT
}

/** The call was decided without this point; that it would not have permitted it is not lost. */
function hearLate(answer: Promise<unknown>, { late, point }: QuestionTerms): void {
  if (late === undefined) return
  const hear = (value: unknown): void => {
    const decision = readAnswer(value)
    const isWord = decision.kind !== 'silence' || decision.cause.kind !== 'absent'
    if (isWord && decision.kind !== 'permit') late(point)
  }
  Promise.prototype.then.call(answer, hear, () => undefined)
}

/** @param cause UNTRUSTED: a point may throw anything, also what throws when it is looked at. Never throws. */
function faultOf(cause: unknown): Decision {
  try {
    return readFault(cause)
  } catch {
    return silence({ kind: 'wrong', fault: 'policy_error', detail: THREW_SOMETHING })
  }
}

function readFault(cause: unknown): Decision {
  if (cause instanceof AbsentAnswer) {
    const { fault, retryAfterMs } = cause
    return silence({ kind: 'absent', fault, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
  }
  const detail = cause instanceof Error ? shown(cause.message, LONGEST_DETAIL) : THREW_SOMETHING
  return silence({ kind: 'wrong', fault: cause instanceof WrongAnswer ? cause.fault : 'policy_error', detail })
}

/** A silence of which nothing but the cause is known. */
export function silence(cause: SilenceCause): Decision {
  return { kind: 'silence', cause, determining: [], errors: [] }
}

export const TIMED_OUT = silence({ kind: 'absent', fault: 'timeout' })

/** INVARIANT I5: whoever can block the event loop must not be able to make an absence of an answer that came. */
export const STALLED = silence({
  kind: 'wrong',
  fault: 'stalled',
  detail: 'the gate was blocked for longer than the budget',
})

/** Never an absence: that a caller went away must not open a gate or move a breaker. */
const ABANDONED: Decision = malformed('the caller gave up before an answer was read')
