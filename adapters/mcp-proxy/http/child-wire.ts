import { attempt, reasonOf } from '../../mcp/attempt.ts'
import type { Message } from '../../mcp/message.ts'
import { LONGEST_BACKLOG, type ServerProcess, UNREAD } from '../child.ts'
import { frameText } from '../frames.ts'
import type { GateTerms } from './terms.ts'

/** What a process that serves clients over HTTP works with. */
export interface ChildTerms {
  readonly name: string
  readonly server: ServerProcess
  readonly gate: GateTerms
  readonly maxFrameBytes: number
  /** How long it may take to answer, ms; as long as its clients wait where nobody says. */
  readonly answerMs: number | undefined
  /** It is over by itself: the process is gone, or never began to serve. */
  readonly ended: () => void
}

/** What is heard of the process. */
export interface ChildHearing {
  /** UNTRUSTED: a line of its stdout. */
  readonly line: (text: string) => void | Promise<void>
  /** Nothing more will come, nor be taken. Said once. */
  readonly over: (because: string) => void
}

/** The two ends of one process: what it is sent, what it says, and whether it still does. */
export class ChildWire {
  readonly #terms: ChildTerms
  readonly #hearing: ChildHearing
  #isOver = false

  constructor(terms: ChildTerms, hearing: ChildHearing) {
    const { server, maxFrameBytes } = terms
    this.#terms = terms
    this.#hearing = hearing
    server.listen(
      {
        line: (text) => this.#heard(text),
        tooLong: () => this.#fault(`it wrote a line longer than ${maxFrameBytes} bytes`),
        drained: () => undefined,
        deaf: () => this.#fault(UNREAD),
      },
      maxFrameBytes,
    )
    void server.ended.then(() => this.#end('its process has ended'))
  }

  /** @returns whether it was taken */
  send(message: Message): boolean {
    const { server } = this.#terms
    try {
      server.send(frameText(message))
    } catch {
      this.#end('its process no longer reads')
      return false
    }
    if (server.backlog > LONGEST_BACKLOG) this.#fault(UNREAD)
    return true
  }

  /** It has a request of a client's now: its time is counted, where it has one, until that is over. */
  bound(over: Promise<void>, late: (because: string) => void): void {
    const { answerMs } = this.#terms
    if (answerMs === undefined) return
    const timer = setTimeout(() => late(`there was no answer within ${answerMs} ms`), answerMs).unref()
    void over.then(() => clearTimeout(timer))
  }

  /** The process is no longer needed, and may end by itself. */
  close(because: string): void {
    this.#end(because)
    void this.#terms.server.stop()
  }

  /** Whatever goes wrong with a line stays with this one. */
  #heard(text: string): void {
    attempt(() => this.#hearing.line(text)).catch((cause: unknown) => {
      const { gate, name } = this.#terms
      gate.note(`${name}: a message was lost: ${reasonOf(cause)}`)
    })
  }

  #fault(because: string): void {
    this.#end(because)
    void this.#terms.server.stop(0)
  }

  #end(because: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#hearing.over(because)
    this.#terms.ended()
  }
}

/** What a client is told of a request that the process had. */
export function inDoubt(because: string): string {
  return `${because}. Whether a call that was under way has run is not known`
}
