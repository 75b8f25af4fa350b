/** What stands behind one session. */
export interface Session {
  /** Who opened it: nobody else may use it. */
  readonly principal: string
  /** Ends it: nothing that is held will run. */
  close(): void
}

/** How many there may be. */
export interface Room {
  readonly most: number
  /** Is there more than one principal? Then none takes all: one has half at most. */
  readonly isShared: boolean
}

/** @param taken the principals of those that there are */
export function isFullFor({ most, isShared }: Room, principal: string, taken: readonly string[]): boolean {
  const mostOfOne = isShared ? Math.ceil(most / 2) : most
  return taken.length >= most || taken.filter((one) => one === principal).length >= mostOfOne
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
  readonly #room: Room
  readonly #idleMs: number
  readonly #sweep: ReturnType<typeof setInterval>

  constructor(room: Room, idleMs: number) {
    this.#room = room
    this.#idleMs = idleMs
    this.#sweep = setInterval(() => this.dropIdle(), Math.min(idleMs, 60_000))
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

  /** Is there no room for one more of this principal's? */
  isFullFor(principal: string): boolean {
    const isFull = () =>
      isFullFor(
        this.#room,
        principal,
        [...this.#kept.values()].map(({ session }) => session.principal),
      )
    if (!isFull()) return false
    this.dropIdle()
    return isFull()
  }

  keep(id: string, session: S): void {
    this.#kept.set(id, { session, open: 0, usedAt: performance.now() })
  }

  /** While `work` goes on, the session is in use. */
  async using<T>(id: string, work: () => Promise<T>): Promise<T> {
    // The one that is there now: another may have its id before the work is done.
    const kept = this.#kept.get(id)
    const use = (change: number) => {
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

  /** Unless somebody else is at work in it. */
  dropUnused(id: string): void {
    if ((this.#kept.get(id)?.open ?? 0) <= 0) this.drop(id)
  }

  /** It is kept under another id, or by nobody. */
  release(id: string): void {
    this.#kept.delete(id)
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

  dropIdle(): void {
    const before = performance.now() - this.#idleMs
    for (const [id, { open, usedAt }] of this.#kept) {
      if (open <= 0 && usedAt <= before) this.drop(id)
    }
  }
}
