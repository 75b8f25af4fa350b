import { isObject, isRequestId, keyOf, type Message, type RequestId } from '../../mcp/message.ts'
import { textForClient } from '../frames.ts'
import type { HeaderField } from '../upstream-headers.ts'
import type { Journal, Told } from './journal.ts'
import type { Reply } from './reply.ts'

/** How soon a client that lost a stream may come back for the rest of it, ms. */
const RETRY_MS = 1_000

/** A client that leaves more than this unread is left, bytes; it can come back for the rest. */
export const MOST_BACKLOG = 16 * 1_048_576

/** What a stream of a session is about. */
export interface OutletTerms {
  readonly number: number
  readonly journal: Journal
  /** The request that it answers; none for what the server says unasked. */
  readonly posted?: Message
  /** What the server says unasked has no end. */
  readonly isUnasked?: true
  /** Does the client know events without data as places to resume from (2025-11-25)? */
  readonly knowsMarks: boolean
  readonly headers?: (answer: Message) => readonly HeaderField[]
}

/** One stream of a session: what a server's process says about one request, or unasked; whoever listens at the moment. */
export class Outlet {
  readonly number: number
  readonly posted: Message | undefined
  /** Settles once the request has its answer, or never will. */
  readonly over: Promise<void>
  readonly #terms: OutletTerms
  readonly #end: () => void
  #reply: Reply | undefined
  #isResumable = false
  #isOver = false
  #isSent = false

  constructor(terms: OutletTerms) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#terms = terms
    this.number = terms.number
    this.posted = terms.posted
    this.over = promise
    this.#end = resolve
  }

  /** The request that this is about. */
  get id(): RequestId | undefined {
    const id = this.posted?.['id']
    return typeof this.posted?.['method'] === 'string' && isRequestId(id) ? id : undefined
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get isHeard(): boolean {
    return this.#reply !== undefined
  }

  get isSent(): boolean {
    return this.#isSent
  }

  sent(): void {
    this.#isSent = true
  }

  /** Somebody listens from now on; what they missed is told first. */
  attach(reply: Reply, missed: readonly Told[] = []): void {
    this.#reply?.end()
    this.#reply = reply
    if (missed.length > 0) reply.stream(200, [])
    for (const { id, text } of missed) reply.event(text, { id })
    if (this.#isOver) this.#close()
  }

  /** Whoever listened is gone. */
  detach(reply: Reply): void {
    if (this.#reply === reply) this.#reply = undefined
  }

  say(message: Message): void {
    const isAnswer = this.#answers(message)
    const reply = this.#reply
    const isWhole = isAnswer && reply?.isUnopened === true
    if (!isWhole && reply?.takes(message) === false) return
    const text = textForClient(message)
    if (isWhole) reply.whole(statusOf(message), this.#terms.headers?.(message) ?? [], text)
    // Whoever had no place to resume from will not come back for it.
    else if (reply !== undefined || this.#isResumable || this.id === undefined) this.#tell(text)
    if (isAnswer) this.#close()
  }

  /** Nothing more will be said. */
  finish(): void {
    const reply = this.#reply
    if (reply?.canStream === true && this.id !== undefined) reply.stream(200, [])
    this.#close()
  }

  #tell(text: string): void {
    const { journal, number } = this.#terms
    const id = journal.keep(number, text)
    this.#isResumable = true
    const reply = this.#reply
    reply?.stream(200, [])
    reply?.event(text, { id })
    if ((reply?.backlog ?? 0) > MOST_BACKLOG) reply?.destroy()
  }

  /** The client may wait, and come back where it loses the stream. Whether there is a session shows with the answer. */
  open(): void {
    const reply = this.#reply
    if (reply?.canStream !== true || (this.id === undefined && this.#terms.isUnasked !== true)) return
    if (this.posted?.['method'] === 'initialize') return
    reply.stream(200, [])
    if (!this.#terms.knowsMarks || this.id === undefined) return
    this.#isResumable = true
    reply.line(`retry: ${RETRY_MS}`)
    reply.event(undefined, { id: this.#terms.journal.mark(this.number) })
  }

  #close(): void {
    this.#isOver = true
    this.#reply?.end()
    this.#reply = undefined
    this.#end()
  }

  #answers(message: Message): boolean {
    if (message['method'] !== undefined) return false
    const { id } = this
    if (message['id'] === null) return this.#terms.isUnasked !== true
    return id !== undefined && isRequestId(message['id']) && keyOf(message['id']) === keyOf(id)
  }
}

/** A message that could not be understood is a bad request. */
function statusOf({ id, error }: Message): number {
  return id === null && isObject(error) ? 400 : 200
}
