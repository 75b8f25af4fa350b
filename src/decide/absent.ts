/** Why no answer came, as a policy decision point that is elsewhere sees it. */
export type Absence = 'timeout' | 'unavailable' | 'circuit_open'

/**
 * Thrown by a policy decision point that got no answer: refused, reset, DNS, 429, 502, 503, 504. Any other error that a
 * point throws is a wrong answer, which never fails open.
 */
export class AbsentAnswer extends Error {
  override readonly name = 'AbsentAnswer'
  readonly fault: Absence
  /** How long the service asks to be left alone (`Retry-After`, RFC 9110 section 10.2.3), ms. */
  readonly retryAfterMs: number | undefined

  constructor(
    fault: Absence,
    message: string,
    details: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.fault = fault
    this.retryAfterMs = details.retryAfterMs
  }
}

/** `stalled`: whether anybody would have answered this question, nobody knows. It moves no breaker. */
type Wrongness = 'malformed' | 'misconfigured' | 'stalled'

/**
 * Thrown by a policy decision point whose answer cannot be trusted: `misconfigured` where it looks like our own mistake (401, 403,
 * 404, a certificate), `malformed` for whatever is not a decision.
 */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer'
  readonly fault: Wrongness

  constructor(fault: Wrongness, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.fault = fault
  }
}

/** The service took no request that asked so much together (413, or 429 without a time to wait); each question by itself may do. */
export class TooMuchAtOnce extends WrongAnswer {}
