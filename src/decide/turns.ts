/** Lets one decision at a time read what a session has spent, so that parallel calls cannot all read the same sum. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs `body` after every earlier body of the same key, whatever became of them. Each body must be bounded in time. */
  async take<T>(key: string | undefined, body: () => Promise<T>): Promise<T> {
    if (key === undefined) return await body()
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(body, body)
    const settled = turn.catch(() => undefined)
    this.#last.set(key, settled)
    try {
      return await turn
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key)
    }
  }
}
