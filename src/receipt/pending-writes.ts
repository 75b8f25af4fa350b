/** How long a write waits for another to go along with, ms. */
const LONGEST_MS = 5

/** Runs something later; gives back how to call it off. */
export type Schedule = (ms: number, run: () => void) => () => void

/**
 * Writes that need not be durable at once. A synced commit takes a millisecond or two whatever is in it, so they wait a moment
 * for the next one: what is written in one turn is one transaction. Their order stays.
 */
export class PendingWrites {
  readonly #schedule: Schedule
  #waiting: (() => void)[] = []
  #callOff: (() => void) | undefined

  constructor(schedule: Schedule) {
    this.#schedule = schedule
  }

  /** Does the write when the next one is done, or after a moment. */
  wait<T>(write: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>()
    this.#waiting.push(() => resolve(write()))
    this.#callOff ??= this.#schedule(LONGEST_MS, () => this.release())
    return promise
  }

  /** Does whatever waits, now: another write comes right behind, or nothing ever will. */
  release(): void {
    this.#callOff?.()
    this.#callOff = undefined
    const waiting = this.#waiting
    this.#waiting = []
    for (const write of waiting) write()
  }
}
