/**
 * Thrown by a policy decision point that got no answer: refused, reset, DNS, 429, 502, 503, 504. Any other error that a
 * point throws is a wrong answer, which never fails open.
 */
export class AbsentAnswer extends Error {
  override readonly name = 'AbsentAnswer'
  readonly fault: 'timeout' | 'unavailable' | 'circuit_open'

  constructor(fault: 'timeout' | 'unavailable' | 'circuit_open', message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.fault = fault
  }
}
