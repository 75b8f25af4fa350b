/** What the operator is told, on stderr and never in a message: whoever reads those is a model, or a program. */
import { visibleLine } from '../../src/bytes/visible.ts'
import type { RefusedAdmission } from '../../src/index.ts'

/** Lines in one window of time: a server that floods must not fill a disk with what we say of it. */
const MOST_LINES = 20
const WINDOW_MS = 60_000

/**
 * Says what there is to say, in bounded measure.
 *
 * UNTRUSTED: much of it names what a server chose, and a terminal reads it.
 */
export class Operator {
  readonly #write: (line: string) => void
  #windowFrom = 0
  #said = 0
  #unsaid = 0
  #hasHinted = false

  /** @param write takes one line, without its end */
  constructor(write: (line: string) => void) {
    this.#write = (line) => write(visibleLine(line))
  }

  /** Once, and whatever else was said. */
  tell(line: string): void {
    this.#write(line)
  }

  /** One of many such lines; beyond a measure they are counted. */
  note(line: string): void {
    const now = performance.now()
    if (this.#said === 0 || now - this.#windowFrom > WINDOW_MS) {
      this.flush()
      this.#windowFrom = now
      this.#said = 0
    }
    this.#said += 1
    if (this.#said <= MOST_LINES) this.#write(line)
    else this.#unsaid += 1
  }

  /** A call was refused. The first that only a person's word was missing for says where that word can be given. */
  refused({ refusal }: RefusedAdmission): void {
    if (this.#hasHinted || refusal.remedy.kind !== 'request_approval') return
    this.#hasHinted = true
    this.#write(
      `${refusal.tool} was refused because nobody answered (${refusal.remedy.ref}). To answer such calls as they come, run: holdpoint watch. To say which may run without asking, begin a configuration: holdpoint init`,
    )
  }

  /** How many lines were left out. */
  flush(): void {
    if (this.#unsaid > 0) this.#write(`and ${this.#unsaid} more lines like these`)
    this.#unsaid = 0
  }
}
