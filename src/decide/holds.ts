import pTimeout from 'p-timeout'
import type { Clock } from '../types.ts'

/** How long the first wait for a policy point is, ms; each later one is twice as long, up to {@link LONGEST_WAIT_MS}. */
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 5_000
/** How many calls may wait at once, and how many of one principal; a call beyond that is refused. */
const MOST_HELD = 256
const MOST_OF_ONE = 64

/** Why a held call goes on: to be decided `again`, or to be refused. */
export type Release = 'again' | 'expired' | 'cancelled' | 'full'

/** One call's waiting, over all of its tries. */
export interface Hold {
  /** Waits until the next try is due, a point has healed, the time is up or the caller went away. */
  wait(retryAfterMs: number | undefined): Promise<Release>
  /** Gives up the place. */
  leave(): void
}

/** The calls that wait for a policy point to heal: bounded in number and in time. */
export class Holds {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #most: number
  readonly #waiting = new Set<() => void>()
  readonly #mostOfOne: number
  /** By principal. */
  readonly #places = new Map<string, number>()
  #held = 0

  constructor(clock: Pick<Clock, 'monotonic'>, most: number = MOST_HELD, mostOfOne: number = MOST_OF_ONE) {
    this.#clock = clock
    this.#most = most
    this.#mostOfOne = mostOfOne
  }

  get held(): number {
    return this.#held
  }

  /** A point has healed: whoever waits tries again. */
  heal(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  /** Takes a place for at most `mostMs`; `undefined` when all are taken, or all that one principal may have. */
  enter(principal: string, mostMs: number, signal: AbortSignal | undefined): Hold | undefined {
    const taken = this.#places.get(principal) ?? 0
    if (this.#held >= this.#most || taken >= this.#mostOfOne) return undefined
    this.#held += 1
    this.#places.set(principal, taken + 1)
    const enteredAt = this.#clock.monotonic()
    let nextMs = FIRST_WAIT_MS
    let isHere = true
    return {
      wait: async (retryAfterMs) => {
        const leftMs = mostMs - (this.#clock.monotonic() - enteredAt)
        // Written so that a clock or a time that is not a number refuses.
        if (!(leftMs > 0)) return 'expired'
        const waitMs = Math.min(Math.max(nextMs, retryAfterMs ?? 0), leftMs)
        nextMs = Math.min(nextMs * 2, LONGEST_WAIT_MS)
        await this.#wake(waitMs, signal)
        if (signal?.aborted === true) return 'cancelled'
        return this.#clock.monotonic() - enteredAt < mostMs ? 'again' : 'expired'
      },
      leave: () => {
        if (isHere) this.#free(principal)
        isHere = false
      },
    }
  }

  #free(principal: string): void {
    this.#held -= 1
    const left = (this.#places.get(principal) ?? 1) - 1
    if (left === 0) this.#places.delete(principal)
    else this.#places.set(principal, left)
  }

  async #wake(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    try {
      await pTimeout(promise, {
        milliseconds: Math.max(1, Math.ceil(waitMs)),
        ...(signal === undefined ? {} : { signal }),
      })
    } catch {
      // The time came, or the caller went away: what follows is the clock's and the signal's to say.
    } finally {
      this.#waiting.delete(resolve)
    }
  }
}
