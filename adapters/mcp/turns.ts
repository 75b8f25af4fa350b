/** One after the other: a few wait for their turn, and whoever comes then is turned away. */
export class Turns {
  readonly #most: number
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** @param most how many may be there at once, with the one whose turn it is */
  constructor(most: number) {
    this.#most = most
  }

  /** @returns `undefined`, and nothing was done, where too many wait already */
  take<T>(act: () => Promise<T>): Promise<T> | undefined {
    if (this.#waiting >= this.#most) return undefined
    this.#waiting += 1
    const turn = this.#last.then(act).finally(() => {
      this.#waiting -= 1
    })
    // Whoever took the turn meets its error; the next one comes all the same.
    this.#last = turn.catch(() => undefined)
    return turn
  }
}
