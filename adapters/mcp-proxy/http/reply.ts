import type { ServerResponse } from 'node:http'
import { isRequestId, type Message } from '../../mcp/message.ts'
import type { HeaderField } from '../upstream-headers.ts'
import type { Visit } from './visit.ts'

/** What stands beside a frame in a stream of events (HTML, server-sent events). */
export interface EventMark {
  readonly id?: string | undefined
  readonly event?: string | undefined
}

/** A client's HTTP response: one JSON body, or a stream of events; whichever comes first. */
export class Reply {
  readonly #response: ServerResponse
  /** Does the client take a stream? */
  readonly canStream: boolean
  #state: 'unopened' | 'streaming' | 'ended' = 'unopened'

  /** @param left called once where the client goes away before it has all of the answer */
  constructor({ request, response }: Visit, left: () => void) {
    this.#response = response
    this.canStream = /text\/event-stream|\*\/\*/i.test(request.headers.accept ?? '')
    // A client that goes away shows by `close`.
    response.on('error', () => undefined)
    const close = () => {
      if (response.writableFinished) return
      this.#state = 'ended'
      left()
    }
    // Whoever is gone already will not go once more.
    if (response.destroyed) queueMicrotask(close)
    else response.on('close', close)
  }

  get isUnopened(): boolean {
    return this.#state === 'unopened'
  }

  get isStreaming(): boolean {
    return this.#state === 'streaming'
  }

  /**
   * Can the client be told this before it has its answer? One that takes no stream hears the answer alone.
   *
   * @throws Error for what it would have to answer
   */
  takes({ id, method }: Message): boolean {
    if (this.#state !== 'unopened' || this.canStream) return true
    if (isRequestId(id)) throw new Error(`the client takes no stream of events, so it cannot be asked for ${method}`)
    return false
  }

  /** The whole answer: the text of a frame, or nothing at all. */
  whole(status: number, headers: readonly HeaderField[], text?: string): void {
    if (this.#state !== 'unopened') return
    const kept = without(headers, ['content-type'])
    const body = Buffer.from(text ?? '')
    const written: readonly HeaderField[] = [
      ...kept,
      ...(text === undefined ? [] : [['content-type', 'application/json'] as const]),
      ['content-length', String(body.length)],
    ]
    this.#response.writeHead(status, written.flat())
    this.#state = 'ended'
    this.#response.end(body)
  }

  /** Opens a stream, and tells the client so at once: the first event may be long in coming. */
  stream(status: number, headers: readonly HeaderField[]): void {
    if (this.#state !== 'unopened') return
    const own: readonly HeaderField[] = [
      ['content-type', 'text/event-stream'],
      ['cache-control', 'no-cache, no-transform'],
      // A buffering proxy in front would keep the events back.
      ['x-accel-buffering', 'no'],
    ]
    const names = own.map(([name]) => name)
    this.#response.writeHead(status, [...without(headers, names), ...own].flat())
    this.#state = 'streaming'
    this.#response.flushHeaders()
  }

  /** One event. Without a text it is a mark alone: where to resume. */
  event(text: string | undefined, { id, event }: EventMark = {}): void {
    const fields = [
      ...(event === undefined ? [] : [`event: ${event}`]),
      ...(id === undefined ? [] : [`id: ${id}`]),
      `data: ${text ?? ''}`,
    ]
    this.line(`${fields.join('\n')}\n`)
  }

  /** A line of the stream that belongs to no event, or closes one. */
  line(text: string): void {
    if (this.#state === 'streaming') this.#response.write(`${text}\n`)
  }

  /** Nothing more will be said; where nothing was, the request is acknowledged. */
  end(): void {
    if (this.#state === 'unopened') this.whole(202, [])
    else if (this.#state === 'streaming') this.#response.end()
    this.#state = 'ended'
  }

  /** What the client has not taken yet, bytes. */
  get backlog(): number {
    return this.#response.writableLength
  }

  /** Breaks off: the client gets no more of it, and can tell. */
  destroy(): void {
    this.#response.destroy()
  }

  /** Settles once the client has taken enough of what was written. */
  async drained(): Promise<void> {
    const response = this.#response
    if (!response.writableNeedDrain || response.destroyed) return
    await new Promise<void>((resolve) => {
      const done = () => {
        response.off('drain', done).off('close', done)
        resolve()
      }
      response.on('drain', done).on('close', done)
    })
  }
}

function without(headers: readonly HeaderField[], names: readonly string[]): readonly HeaderField[] {
  return headers.filter(([name]) => !names.includes(name.toLowerCase()))
}
