import type { IncomingMessage } from 'node:http'
import { createParser } from 'eventsource-parser'
import { attempt, reasonOf } from '../../mcp/attempt.ts'
import { isObject } from '../../mcp/message.ts'
import { readServerFrame } from '../frames.ts'
import { downstreamHeaders } from '../upstream-headers.ts'
import type { Exchange } from './exchange.ts'
import { EVENTS, mediaTypeOf, RemoteFault } from './remote.ts'
import type { EventMark } from './reply.ts'

/** What becomes of the frames of an answer. */
export interface Hearing {
  readonly hear: (frame: unknown, mark?: EventMark) => void | Promise<void>
  readonly note: (text: string) => void
  readonly maxFrameBytes: number
  /** What the upstream was told of us, and no client is told. */
  readonly own: ReadonlyMap<string, string>
}

/**
 * Gives an upstream's answer to the client: frame by frame, as they come. UNTRUSTED: whatever the upstream says.
 *
 * @throws RemoteFault where it is no answer that can be read, or breaks off
 */
export async function passOn(answer: IncomingMessage, exchange: Exchange, hearing: Hearing): Promise<void> {
  const status = answer.statusCode ?? 502
  const head = { status, headers: downstreamHeaders(answer.rawHeaders, hearing.own) }
  const type = mediaTypeOf(answer)
  const coding = answer.headers['content-encoding'] ?? 'identity'
  if (coding.toLowerCase() !== 'identity') throw unread(answer, `the server answered in the coding ${coding}`)
  if (status < 200) throw unread(answer, `the server answered with ${status}, which is no status of an answer`)
  // The proxy's own credentials are at fault; the client's token was for us and is good.
  if (status === 401 || status === 407)
    throw unread(answer, `the server did not accept the proxy's own credentials (${status})`)
  if (status >= 300 && status < 400) throw unread(answer, `the server answered with a redirect (${status})`)
  if (type === EVENTS && status < 300) {
    exchange.stream(head)
    return await passEvents(answer, exchange, hearing)
  }
  const body = await textOf(answer, hearing.maxFrameBytes)
  exchange.begin(head)
  if (body === '') return
  const frame = type === 'application/json' ? readServerFrame(body) : undefined
  if (isObject(frame)) return await hearing.hear(frame)
  const because = `the server answered ${status} with what is no JSON-RPC message`
  if (status < 400) throw new RemoteFault(502, because)
  exchange.fail(status, because)
}

/** An answer that nobody will read is let go, and its connection with it. */
function unread(answer: IncomingMessage, because: string): RemoteFault {
  answer.destroy()
  return new RemoteFault(502, because)
}

async function textOf(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes) throw new RemoteFault(502, `the answer of the server is longer than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
  } catch (cause) {
    throw faultOf(cause)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function faultOf(cause: unknown): RemoteFault {
  return cause instanceof RemoteFault ? cause : new RemoteFault(502, 'the server broke off its answer')
}

async function passEvents(answer: IncomingMessage, exchange: Exchange, hearing: Hearing): Promise<void> {
  const underWay = new Set<Promise<void>>()
  let place: string | undefined
  let isOverlong = false
  const leavePlace = () => {
    if (place !== undefined) exchange.mark({ id: place })
    place = undefined
  }
  const parser = createParser({
    maxBufferSize: hearing.maxFrameBytes,
    onId: (id) => {
      leavePlace()
      place = id
    },
    onEvent: ({ id, event, data }) => {
      place = undefined
      const mark = { id, event }
      const frame = data === '' ? undefined : readServerFrame(data)
      if (frame === undefined) {
        if (data !== '') hearing.note('an event that is no JSON; not passed on')
        if (data === '' || id !== undefined) exchange.mark(mark)
        return
      }
      // What waits for a decision does not keep back what comes after it, nor does what cannot be passed on.
      const settled = attempt(() => hearing.hear(frame, mark))
        .catch((cause: unknown) => hearing.note(`a message was lost: ${reasonOf(cause)}`))
        .finally(() => underWay.delete(settled))
      underWay.add(settled)
    },
    onRetry: (ms) => exchange.line(`retry: ${ms}`),
    onComment: (comment) => exchange.line(`: ${comment}`),
    onError: ({ type }) => {
      isOverlong ||= type === 'max-buffer-size-exceeded'
    },
  })
  const decoder = new TextDecoder()
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      parser.feed(decoder.decode(chunk, { stream: true }))
      leavePlace()
      if (isOverlong) break
      await exchange.drained()
    }
  } catch (cause) {
    throw faultOf(cause)
  } finally {
    await Promise.all(underWay)
  }
  if (isOverlong)
    throw new RemoteFault(502, `an event of the server is longer than ${hearing.maxFrameBytes} characters`)
}
