/** Time and chance. */

/** Time enters as an argument. */
export interface Clock {
  /** Wall clock, ms since epoch. */
  now(): number
  /** Monotonic clock, ms, for budgets and permit ages. */
  monotonic(): number
}

export type RandomBytes = (length: number) => Uint8Array
