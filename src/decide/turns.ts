import pTimeout from 'p-timeout'

/** How long a decision may wait for the ones before it. */
const LONGEST_QUEUE_MS = 10_000

/** Lets one decision at a time read what a session has spent, so that parallel calls cannot all read the same sum. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()
  readonly #longestMs: number

  constructor(longestMs: number = LONGEST_QUEUE_MS) {
    this.#longestMs = longestMs
  }

  /**
   * Runs `body` after every earlier body of the same key, whatever became of them.
   *
   * @returns `undefined` when the turn did not come in time or the caller went away first: `body` then never runs
   */
  async take<T>(key: string | undefined, body: () => Promise<T>, signal?: AbortSignal): Promise<T | undefined> {
    if (key === undefined) return await body()
    const before = this.#last.get(key)
    const { promise: left, resolve: leave } = Promise.withResolvers<void>()
    // Whoever comes next waits for all of us, also when this one gives up and the ones before it go on.
    const everyone = before === undefined ? left : before.then(() => left)
    this.#last.set(key, everyone)
    try {
      if (before !== undefined && !(await this.#comes(before, signal))) return undefined
      return await body()
    } finally {
      leave()
      if (this.#last.get(key) === everyone) void everyone.then(() => this.#forget(key, everyone))
    }
  }

  async #comes(turn: Promise<void>, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      await pTimeout(turn, { milliseconds: this.#longestMs, ...(signal === undefined ? {} : { signal }) })
      return true
    } catch {
      return false
    }
  }

  #forget(key: string, everyone: Promise<void>): void {
    if (this.#last.get(key) === everyone) this.#last.delete(key)
  }
}
