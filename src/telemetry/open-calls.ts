import type { SpanContext } from '@opentelemetry/api'

/** Permitted calls remembered one by one; more are only counted. */
const MOST_REMEMBERED = 10_000

/** On whose word a call runs. */
export type Basis = 'policy' | 'fail_open' | 'override'

/** A permitted call that has not ended. */
export interface OpenCall {
  /** When it was permitted, on the clock of whoever asks, ms. */
  readonly permittedAt: number
  /** From its arrival to its permit, ms. */
  readonly decisionMs: number
  /** The span that its decision is drawn in. */
  readonly admission?: SpanContext
}

/** The calls between their permit and their end, by the id of the decision receipt. */
export class OpenCalls {
  /** In the order of their permits, so that the first is the oldest. */
  readonly #calls = new Map<string, OpenCall>()
  /** Told before the permit of the call or after it. */
  readonly #bases = new Map<string, Basis>()
  #uncounted = 0

  get count(): number {
    return this.#calls.size + this.#uncounted
  }

  permitted(receipt: string, call: OpenCall): void {
    if (this.#calls.size < MOST_REMEMBERED) this.#calls.set(receipt, call)
    else this.#uncounted += 1
  }

  /** The call runs on another word than a policy's. */
  ranOn(receipt: string, basis: Basis): void {
    if (this.#bases.size < MOST_REMEMBERED) this.#bases.set(receipt, basis)
  }

  /** The call has ended; `undefined` where it was not remembered. */
  ended(receipt: string): (OpenCall & { readonly basis: Basis }) | undefined {
    const basis = this.#bases.get(receipt) ?? 'policy'
    this.#bases.delete(receipt)
    const call = this.#calls.get(receipt)
    if (call !== undefined) this.#calls.delete(receipt)
    else if (this.#uncounted > 0) this.#uncounted -= 1
    return call === undefined ? undefined : { ...call, basis }
  }

  /** How long ago the oldest was permitted, ms; 0 when there is none. */
  oldestMs(now: number): number {
    const [oldest] = this.#calls.values()
    return oldest === undefined ? 0 : Math.max(0, now - oldest.permittedAt)
  }
}
