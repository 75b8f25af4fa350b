import pTimeout, { TimeoutError } from 'p-timeout'
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
}

/** The longest delay that a timer of the platform holds; a longer one would fire at once, or never. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

/**
 * Asks a policy decision point. A point that answers at once is read at once, without a promise. Never throws, never
 * rejects: whatever goes wrong is a silence with its cause.
 *
 * INVARIANT I4: a verdict counts only if the monotonic clock says that it is inside the budget when it is read. The timer
 * only wakes us: when the event loop was blocked, a late permit reaches us before an expired timer does.
 */
export function ask(
  point: PolicyDecisionPoint,
  request: EvaluationRequest,
  terms: AskTerms,
): Decision | Promise<Decision> {
  const askedAt = terms.clock.monotonic()
  if (terms.signal?.aborted === true) return ABANDONED
  const call = question(terms.schema)
  let answer: unknown
  try {
    answer = point.evaluate(request, call.terms)
    // Looking at an answer may throw as well: it may be a Proxy.
    if (answer instanceof Promise) return awaitAnswer(answer, call, askedAt, terms)
  } catch (cause) {
    return verdict(() => faultOf(cause), askedAt, terms)
  }
  return verdict(() => readAnswer(answer), askedAt, terms)
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
  terms: AskTerms,
): Promise<Decision> {
  const { budgetMs, clock, signal } = terms
  const leftMs = Math.min(Math.max(1, Math.ceil(budgetMs - (clock.monotonic() - askedAt))), LONGEST_DELAY_MS)
  try {
    // The intrinsic `then`: a subclass or a forgery with a `then` of its own is refused by its brand, not trusted.
    const settled = new Promise<unknown>((resolve, reject) => {
      Promise.prototype.then.call(answer, (value) => resolve({ value }), reject)
    })
    const timed = pTimeout(settled, { milliseconds: leftMs, ...(signal === undefined ? {} : { signal }) })
    const { value } = (await timed) as { readonly value: unknown }
    return verdict(() => readAnswer(value), askedAt, terms)
  } catch (cause) {
    if (cause instanceof TimeoutError) return TIMED_OUT
    return verdict(() => faultOf(cause), askedAt, terms)
  } finally {
    call.abort()
  }
}

/** Reads an answer first and the clock after it: reading takes time too. */
function verdict(read: () => Decision, askedAt: number, { clock, budgetMs, signal }: AskTerms): Decision {
  const decision = read()
  if (signal?.aborted === true) return ABANDONED
  // Written so that a clock or a budget that is not a number refuses.
  return clock.monotonic() - askedAt < budgetMs ? decision : TIMED_OUT
}

function faultOf(cause: unknown): Decision {
  if (cause instanceof AbsentAnswer) {
    const { fault, retryAfterMs } = cause
    return silence({ kind: 'absent', fault, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
  }
  const detail = cause instanceof Error ? cause.message.slice(0, 512) : 'the policy point threw something'
  return silence({ kind: 'wrong', fault: cause instanceof WrongAnswer ? cause.fault : 'policy_error', detail })
}

function silence(cause: SilenceCause): Decision {
  return { kind: 'silence', cause, determining: [], errors: [] }
}

const TIMED_OUT = silence({ kind: 'absent', fault: 'timeout' })

/** Never an absence: that a caller went away must not open a gate or move a breaker. */
const ABANDONED: Decision = malformed('the caller gave up before an answer was read')
