/** What a `Lines` does with what it hears. */
export interface LineHearing {
  /** One line without its end, and not only of blanks. UNTRUSTED. */
  readonly line: (bytes: Uint8Array) => void
  /** A line is longer than it may be. Said once for it, as soon as it is known; the rest of it is thrown away. */
  readonly tooLong: () => void
}

const NEWLINE = 0x0a
/** Blanks of JSON that may stand alone on a line: they are no frame. */
const BLANK: ReadonlySet<number> = new Set([0x20, 0x09, 0x0d])

/** Cuts a stream of bytes into lines (MCP, stdio: a frame is a line) and never holds more than one line of `longestBytes`. */
export class Lines {
  readonly #longestBytes: number
  readonly #hearing: LineHearing
  #parts: Uint8Array[] = []
  #held = 0
  #isTooLong = false

  constructor(longestBytes: number, hearing: LineHearing) {
    this.#longestBytes = longestBytes
    this.#hearing = hearing
  }

  /** Is there the beginning of a line that has not ended yet? */
  get isWithinLine(): boolean {
    return this.#held > 0 || this.#isTooLong
  }

  feed(chunk: Uint8Array): void {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#take(chunk.subarray(from, end))
      this.#finish()
      from = end + 1
    }
    this.#take(chunk.subarray(from))
  }

  #take(bytes: Uint8Array): void {
    if (this.#isTooLong || bytes.length === 0) return
    if (this.#held + bytes.length <= this.#longestBytes) {
      this.#parts.push(bytes)
      this.#held += bytes.length
      return
    }
    this.#isTooLong = true
    this.#drop()
    this.#hearing.tooLong()
  }

  #finish(): void {
    const isWhole = !this.#isTooLong
    const [first = new Uint8Array(), ...more] = this.#parts
    const line = more.length === 0 ? first : Buffer.concat(this.#parts, this.#held)
    this.#isTooLong = false
    this.#drop()
    if (isWhole && !line.every((byte) => BLANK.has(byte))) this.#hearing.line(line)
  }

  #drop(): void {
    this.#parts = []
    this.#held = 0
  }
}
