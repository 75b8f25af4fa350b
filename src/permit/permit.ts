import type { Clock, RefusalCode } from '../types.ts'

type State = 'ready' | 'begun' | 'ended'

/**
 * A single-use permit for one call key, in this process: the compare-and-set behind `begin`.
 *
 * The durable claim stands before a `Permit` exists; this class makes sure that the claim is used once, in time, under the
 * policy that granted it.
 */
export class Permit {
  readonly #clock: Clock
  readonly #grantedAt: number
  readonly #ttlMs: number
  readonly #signal: AbortSignal | undefined
  readonly #current: () => boolean
  #state: State = 'ready'

  /** `ttlMs` runs on the monotonic clock; `current` says whether the granting policy is still in force. */
  constructor(terms: { clock: Clock; ttlMs: number; signal?: AbortSignal | undefined; current: () => boolean }) {
    this.#clock = terms.clock
    this.#grantedAt = terms.clock.monotonic()
    this.#ttlMs = terms.ttlMs
    this.#signal = terms.signal
    this.#current = terms.current
  }

  /**
   * Spends the permit. Synchronous: nothing can come between the check and the first line of the tool.
   *
   * INVARIANT I2: `begun` is answered once in a permit's life.
   */
  begin(): 'begun' | RefusalCode {
    if (this.#state === 'begun') return 'in_progress'
    if (this.#state === 'ended') return 'permit_revoked'
    const code = this.#lapse()
    this.#state = code === undefined ? 'begun' : 'ended'
    return code ?? 'begun'
  }

  /** Ends an unused permit. False when the call has begun: then only its outcome can end it. */
  revoke(): boolean {
    if (this.#state !== 'ready') return false
    this.#state = 'ended'
    return true
  }

  get begun(): boolean {
    return this.#state === 'begun'
  }

  #lapse(): RefusalCode | undefined {
    if (this.#signal?.aborted === true) return 'cancelled'
    if (!this.#current()) return 'permit_revoked'
    const age = this.#clock.monotonic() - this.#grantedAt
    return age >= 0 && age <= this.#ttlMs ? undefined : 'permit_expired'
  }
}
