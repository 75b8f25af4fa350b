/** What stands behind one session. */
export interface Session {
  /** Who opened it: nobody else may use it. */
  readonly principal: string
  /** Ends it: nothing that is held will run. */
  close(): void
}

interface Kept<S> {
  readonly session: S
  /** Requests and streams that are open now. */
  open: number
  usedAt: number
}

/** The sessions of one upstream, by `Mcp-Session-Id`: so many at once, and none that nobody uses. */
export class Sessions<S extends Session> {
  readonly #kept = new Map<string, Kept<S>>()
  readonly #most: number
  readonly #idleMs: number
  readonly #sweep: ReturnType<typeof setInterval>

  constructor(most: number, idleMs: number) {
    this.#most = most
    this.#idleMs = idleMs
    this.#sweep = setInterval(() => this.#dropIdle(), Math.min(idleMs, 60_000))
    this.#sweep.unref()
  }

  /** A session is its principal's own: to everybody else it does not exist. */
  find(id: string, principal: string): S | undefined {
    const session = this.#kept.get(id)?.session
    return session?.principal === principal ? session : undefined
  }

  has(id: string): boolean {
    return this.#kept.has(id)
  }

  get isFull(): boolean {
    if (this.#kept.size >= this.#most) this.#dropIdle()
    return this.#kept.size >= this.#most
  }

  keep(id: string, session: S): void {
    this.#kept.set(id, { session, open: 0, usedAt: performance.now() })
  }

  /** While `work` goes on, the session is in use. */
  async using<T>(id: string, work: () => Promise<T>): Promise<T> {
    const use = (change: number) => {
      const kept = this.#kept.get(id)
      if (kept === undefined) return
      kept.open += change
      kept.usedAt = performance.now()
    }
    use(1)
    try {
      return await work()
    } finally {
      use(-1)
    }
  }

  drop(id: string): void {
    const kept = this.#kept.get(id)
    this.#kept.delete(id)
    kept?.session.close()
  }

  close(): void {
    clearInterval(this.#sweep)
    for (const id of [...this.#kept.keys()]) this.drop(id)
  }

  #dropIdle(): void {
    const before = performance.now() - this.#idleMs
    for (const [id, { open, usedAt }] of this.#kept) {
      if (open <= 0 && usedAt <= before) this.drop(id)
    }
  }
}
