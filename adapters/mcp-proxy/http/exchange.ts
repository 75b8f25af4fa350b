import type { ToolDefinition } from '../../../src/index.ts'
import { errorFor } from '../../mcp/answers.ts'
import { isModern } from '../../mcp/era.ts'
import { HEADER_MISMATCH, INTERNAL_ERROR, INVALID_REQUEST } from '../../mcp/keys.ts'
import { isObject, isRequestId, keyOf, type Message, objectIn, type RequestId } from '../../mcp/message.ts'
import { textForClient } from '../frames.ts'
import type { HeaderField } from '../upstream-headers.ts'
import { type EventMark, Reply } from './reply.ts'
import type { Visit } from './visit.ts'

/** What the proxy wants to have back beside a frame. */
export interface About {
  readonly exchange: Exchange
  /** What stood beside the frame in the upstream's stream. */
  readonly mark?: EventMark
}

/** How an upstream began to answer. */
export interface Head {
  readonly status: number
  readonly headers: readonly HeaderField[]
}

/** One HTTP request of a client's, with the message that it carries, and the way back. */
export class Exchange {
  readonly visit: Visit
  /** The message as it was posted; none for a GET. */
  readonly posted: Message | undefined
  /** Aborted once the client has gone. */
  readonly gone: AbortSignal
  /** Settles once there is an answer, or nobody waits for one. */
  readonly over: Promise<void>
  readonly #reply: Reply | undefined
  #head: Head | undefined
  #isSent = false
  /** The tool that its call is decided as. */
  definition: ToolDefinition | undefined
  readonly #end: () => void
  #isAnswered = false
  #isResumable = false

  /** @param left called where the client goes away before it has all of the answer; none where no client listens */
  constructor(visit: Visit, posted: unknown, left?: (exchange: Exchange) => void) {
    const abort = new AbortController()
    this.visit = visit
    this.posted = isObject(posted) ? posted : undefined
    this.gone = abort.signal
    const { promise, resolve } = Promise.withResolvers<void>()
    this.over = promise
    this.#end = resolve
    if (left === undefined) return
    this.#reply = new Reply(visit, () => {
      abort.abort()
      resolve()
      left(this)
    })
  }

  /** For what nobody but the gate hears. */
  static unheard({ visit }: Exchange): Exchange {
    return new Exchange(visit, undefined)
  }

  /** The request that this is about. */
  get id(): RequestId | undefined {
    const { posted } = this
    return posted !== undefined && typeof posted['method'] === 'string' && isRequestId(posted['id'])
      ? posted['id']
      : undefined
  }

  /** Has the upstream been given the message? */
  get isSent(): boolean {
    return this.#isSent
  }

  get isAnswered(): boolean {
    return this.#isAnswered
  }

  /** Was the client given a mark by which it can take up the stream again? The later era takes up none. */
  get isResumable(): boolean {
    return this.#isResumable && !isModern(objectIn(this.posted, 'params'))
  }

  /** Is this the message that was posted, rather than one of the gate's own? */
  carries(message: Message): boolean {
    const { posted, id } = this
    if (message === posted) return true
    return id !== undefined && message['id'] === id && message['method'] === posted?.['method']
  }

  sent(): void {
    this.#isSent = true
  }

  /** The upstream began to answer, in one piece. */
  begin(head: Head): void {
    this.#head = head
  }

  /** The upstream began to answer, event by event. */
  stream({ status, headers }: Head): void {
    this.#reply?.stream(status, headers)
  }

  /** What the client has not taken yet, bytes. */
  get backlog(): number {
    return this.#reply?.backlog ?? 0
  }

  /** The client does not read what it is given: it is left. */
  breakOff(): void {
    this.#reply?.destroy()
  }

  /** Gives the client a message: as the one answer where it is that, as an event otherwise. */
  say(message: Message, mark: EventMark = {}): void {
    const reply = this.#reply
    if (reply === undefined) return
    const isAnswer = this.#answers(message, reply)
    const isWhole = isAnswer && reply.isUnopened
    if (!isWhole && !reply.takes(message)) return
    // An error about no request in particular would be lost in a stream: there it is about this one.
    const isLost = !isWhole && message['id'] === null && this.id !== undefined
    const text = textForClient(isLost ? { ...message, id: this.id } : message)
    if (isWhole) {
      const { status = statusOf(message), headers = [] } = this.#head ?? {}
      reply.whole(status, headers, text)
    } else {
      reply.stream(200, [])
      reply.event(text, this.#noted(mark))
    }
    if (isAnswer) this.#answered()
  }

  /** The same, where the status is ours to say. */
  answer(status: number, message: Message): void {
    this.#head = { status, headers: [] }
    this.say(message)
  }

  /** A place to resume from, with nothing said. */
  mark(mark: EventMark): void {
    if (this.#reply?.isStreaming === true) this.#reply.event(undefined, this.#noted(mark))
  }

  /** A line of the upstream's stream that is no event. */
  line(text: string): void {
    this.#reply?.line(text)
  }

  /** There will be no answer: the client is told why. Nothing happens where there was one. */
  fail(status: number, because: string, code: number = INTERNAL_ERROR): void {
    if (this.#isAnswered) return
    this.answer(status, errorFor(this.id ?? null, code, `holdpoint: ${because}`))
  }

  /** Everything is said. What was taken and has no answer is acknowledged. */
  finish(): void {
    const reply = this.#reply
    if (reply === undefined) return
    if (reply.isUnopened && this.#head === undefined && this.id !== undefined && reply.canStream) reply.stream(200, [])
    const { status = 202, headers = [] } = this.#head ?? {}
    if (reply.isUnopened) reply.whole(status, headers)
    else reply.end()
  }

  async drained(): Promise<void> {
    await this.#reply?.drained()
  }

  #answered(): void {
    this.#isAnswered = true
    this.#end()
  }

  #noted(mark: EventMark): EventMark {
    if (mark.id !== undefined) this.#isResumable = true
    return mark
  }

  #answers(message: Message, reply: Reply): boolean {
    if (message['method'] !== undefined) return false
    if (message['id'] === null) return !reply.isStreaming || this.id !== undefined
    const { id } = this
    return id !== undefined && isRequestId(message['id']) && keyOf(message['id']) === keyOf(id)
  }
}

/** What the gate itself answers: a message that it could not understand, or that its headers contradict, is a bad request. */
function statusOf({ error }: Message): number {
  const code = isObject(error) ? error['code'] : undefined
  return code === INVALID_REQUEST || code === HEADER_MISMATCH ? 400 : 200
}
