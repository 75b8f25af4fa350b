/** Permitted calls remembered one by one; more are only counted. */
const MOST_REMEMBERED = 10_000

/** A permitted call that has not ended. */
export interface OpenCall {
  /** When it was permitted, on the clock of whoever asks, ms. */
  readonly permittedAt: number
  /** From its arrival to its permit, ms. */
  readonly decisionMs: number
  /** On whose word it runs. */
  basis: 'policy' | 'fail_open' | 'override'
}

/** The calls between their permit and their end, by the id of the decision receipt. */
export class OpenCalls {
  /** In the order of their permits, so that the first is the oldest. */
  readonly #calls = new Map<string, OpenCall>()
  #uncounted = 0

  get count(): number {
    return this.#calls.size + this.#uncounted
  }

  permitted(receipt: string, call: OpenCall): void {
    if (this.#calls.size < MOST_REMEMBERED) this.#calls.set(receipt, call)
    else this.#uncounted += 1
  }

  /** The call runs on another word than a policy's. */
  ranOn(receipt: string, basis: OpenCall['basis']): void {
    const call = this.#calls.get(receipt)
    if (call !== undefined) call.basis = basis
  }

  /** The call has ended; `undefined` where it was not remembered. */
  ended(receipt: string): OpenCall | undefined {
    const call = this.#calls.get(receipt)
    if (call !== undefined) this.#calls.delete(receipt)
    else if (this.#uncounted > 0) this.#uncounted -= 1
    return call
  }

  /** How long ago the oldest was permitted, ms; 0 when there is none. */
  oldestMs(now: number): number {
    const [oldest] = this.#calls.values()
    return oldest === undefined ? 0 : Math.max(0, now - oldest.permittedAt)
  }
}
