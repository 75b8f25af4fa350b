import type { IncomingMessage } from 'node:http'
import { isObject, type Message, objectIn } from '../../mcp/message.ts'
import { frameText } from '../frames.ts'
import { type HeaderField, upstreamHeaders } from '../upstream-headers.ts'
import { standardHeaders } from './agreement.ts'
import { Exchange } from './exchange.ts'
import { passOn } from './pass-on.ts'
import { type Remote, RemoteFault } from './remote.ts'
import { headerOf } from './visit.ts'

/** What the gate's own messages to a server need. */
export interface AsideTerms {
  readonly remote: Remote
  /** The upstream's own headers. */
  readonly own: ReadonlyMap<string, string>
  readonly maxFrameBytes: number
  readonly note: (text: string) => void
  /** A frame of the answer, with an exchange that reaches no client. */
  readonly hear: (frame: unknown, unheard: Exchange) => void | Promise<void>
  /** The server began to answer. */
  readonly begun: (answer: IncomingMessage, exchange: Exchange) => void
}

/** Of the client's headers, what was said of its own message alone. */
const OF_ITS_MESSAGE = /^(?:mcp-method|mcp-name|mcp-param-.*|last-event-id|accept)$/i

/**
 * What the gate itself says to a server for the sake of a client's call: each a request by itself, in the client's session, whose
 * answer the link alone hears.
 */
export class Asides {
  readonly #terms: AsideTerms
  readonly #open = new Map<unknown, AbortController>()

  constructor(terms: AsideTerms) {
    this.#terms = terms
  }

  /** @throws RemoteFault where there is no answer: whoever waits for it need not wait for its deadline */
  async send(message: Message, exchange: Exchange): Promise<void> {
    const { method, id } = message
    // Of a question of our own: over HTTP to go away says it.
    if (method === 'notifications/cancelled') return this.#open.get(objectIn(message, 'params')['requestId'])?.abort()
    const { remote, maxFrameBytes, own, note, hear, begun } = this.#terms
    const abort = new AbortController()
    const unheard = Exchange.unheard(exchange)
    let isAnswered = method === undefined
    if (!isAnswered) this.#open.set(id, abort)
    try {
      const headers = this.#headers(message, exchange)
      const answer = await remote.send('POST', headers, { body: frameText(message), signal: abort.signal })
      begun(answer, exchange)
      await passOn(answer, unheard, {
        hear: (frame) => {
          isAnswered ||= isObject(frame) && frame['id'] === id
          return hear(frame, unheard)
        },
        note,
        maxFrameBytes,
        own,
      })
    } finally {
      this.#open.delete(id)
    }
    if (!isAnswered) throw new RemoteFault(502, 'the server gave no answer')
  }

  close(): void {
    for (const abort of this.#open.values()) abort.abort()
  }

  #headers(message: Message, { visit: { request } }: Exchange): readonly HeaderField[] {
    const kept = upstreamHeaders(request.rawHeaders, this.#terms.own).filter(([name]) => !OF_ITS_MESSAGE.test(name))
    const isModern = headerOf(request, 'mcp-method') !== undefined
    const accept: HeaderField = ['accept', 'application/json, text/event-stream']
    return withBody([...kept, accept, ...(isModern ? standardHeaders(message) : [])])
  }
}

/** The body is ours: read, judged and written anew. */
export function withBody(headers: readonly HeaderField[]): readonly HeaderField[] {
  return [...withoutBody(headers), ['content-type', 'application/json']]
}

/** Says nothing of a body: of the client's, where there is one, ours is another. */
export function withoutBody(headers: readonly HeaderField[]): readonly HeaderField[] {
  return headers.filter(([name]) => !/^content-(?:type|length|encoding)$/i.test(name))
}
