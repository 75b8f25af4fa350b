/** One event of one stream, as it may have to be told again. */
export interface Told {
  readonly id: string
  readonly text: string
}

interface Entry extends Told {
  readonly stream: number
}

/** What one session can be told again, in events and characters. */
const MOST_EVENTS = 512
const MOST_SIZE = 4 * 1_048_576

/** The last events of a session's streams, for clients that come back (MCP 2025-11-25, Streamable HTTP, resumability). */
export class Journal {
  #entries: Entry[] = []
  #size = 0
  #last = 0

  keep(stream: number, text: string): string {
    const id = this.mark(stream)
    this.#entries.push({ id, stream, text })
    this.#size += text.length
    while (this.#entries.length > MOST_EVENTS || this.#size > MOST_SIZE) {
      const oldest = this.#entries.shift()
      if (oldest === undefined) break
      this.#size -= oldest.text.length
    }
    return id
  }

  /** A place in a stream where nothing was told. */
  mark(stream: number): string {
    this.#last += 1
    return `${stream}-${this.#last}`
  }

  /** What was told in the same stream after this place. UNTRUSTED: the id is what a client says. */
  after(id: string): { readonly stream: number; readonly events: readonly Told[] } | undefined {
    const [, stream, place] = /^(\d{1,15})-(\d{1,15})$/.exec(id) ?? []
    if (stream === undefined) return undefined
    const numbered = Number(stream)
    const later = this.#entries.filter((one) => one.stream === numbered && placeOf(one.id) > Number(place))
    return { stream: numbered, events: later }
  }
}

function placeOf(id: string): number {
  return Number(id.slice(id.indexOf('-') + 1))
}
