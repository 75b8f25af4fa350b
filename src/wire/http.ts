import { Agent, type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { AbsentAnswer, WrongAnswer } from '../decide/absent.ts'
import type { Reply } from '../decide/reply.ts'

const MOST_HEADER_BYTES = 16_384
/** Beyond this, TLS handshakes of a burst take the gate longer than waiting for a connection that is there. */
const MOST_SOCKETS = 256
const MOST_IDLE_SOCKETS = 64
/** How long a question waits for one of our connections, ms. */
const MOST_WAIT_MS = 500
/** Replies whose body may hold an answer. */
const BODY_STATUSES: ReadonlySet<number> = new Set([200, 500])

/** Where questions go. */
export interface WireTerms {
  /** Scheme, host and port. */
  readonly url: URL
  /** Certificates that are believed instead of the platform's, PEM. */
  readonly ca: string | undefined
  /** May one connection carry several requests? Only where every answer says which request it is for. */
  readonly keepAlive: boolean
}

/** One request. `body` makes it a POST. */
export interface Outgoing {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  /** How large the body of its reply may be. */
  readonly mostBytes: number
}

/** Sends one request and reads its reply whole. */
export type Wire = (outgoing: Outgoing, signal: AbortSignal) => Promise<Reply>

/**
 * A wire to one policy service, over HTTP/1.1. It follows no redirect, decompresses nothing, asks no proxy, and reads no more than
 * the caps. A request that is aborted takes its connection with it, so that no connection is used again whose reply was not read
 * to its end.
 *
 * The wire rejects with `AbsentAnswer` when no reply came, with `WrongAnswer` when what came is none, or when the question never
 * left because all connections were taken.
 */
export function createWire({ url, ca, keepAlive }: WireTerms): Wire {
  const isTls = url.protocol === 'https:'
  // Said outright, so that no variable of the environment turns the check of certificates off.
  const trust = { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) }
  const createAgent = (keeps: boolean): Agent => {
    const pool = { keepAlive: keeps, maxSockets: MOST_SOCKETS, maxFreeSockets: MOST_IDLE_SOCKETS }
    return isTls ? new TlsAgent({ ...pool, ...trust }) : new Agent(pool)
  }
  const agent = createAgent(keepAlive)
  const oneUse = createAgent(false)
  const send = isTls ? tlsRequest : plainRequest
  const attempt = ({ path, headers, body, mostBytes }: Outgoing, signal: AbortSignal, by: Agent): Promise<Reply> =>
    receive(
      send({
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port === '' ? undefined : Number(url.port),
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: { ...headers, ...(body === undefined ? {} : { 'content-length': `${Buffer.byteLength(body)}` }) },
        agent: by,
        signal,
        maxHeaderSize: MOST_HEADER_BYTES,
        insecureHTTPParser: false,
      }),
      body,
      mostBytes,
    )
  return async (outgoing, signal) => {
    try {
      return await attempt(outgoing, signal, agent)
    } catch (cause) {
      if (!(cause instanceof IdleConnectionClosed)) throw cause
      // The service had closed an idle connection before it was taken: nothing was asked yet, so it is asked once more.
      dropIdle(agent)
      return await attempt(outgoing, signal, oneUse)
    }
  }
}

/** Where one kept connection turned out to be dead, the others most likely are: a question must not find out one by one. */
function dropIdle({ freeSockets }: Agent): void {
  for (const sockets of Object.values(freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}

/** What a connection says that the other side has closed. */
const CLOSED_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE'])

class IdleConnectionClosed extends AbsentAnswer {}

function receive(request: ClientRequest, body: string | undefined, mostBytes: number): Promise<Reply> {
  return new Promise<Reply>((resolve, reject) => {
    const abandon = (cause: Error): void => {
      reject(cause)
      request.destroy()
    }
    // INVARIANT I5: waiting here is no silence of the service, so whoever sends a burst makes no absence of it.
    const waiting = setTimeout(() => abandon(new WrongAnswer('stalled', 'too many questions at once')), MOST_WAIT_MS)
    request.on('socket', () => clearTimeout(waiting))
    let hasReply = false
    request.on('response', (response) => {
      hasReply = true
      collect(response, mostBytes, abandon, resolve)
    })
    request.on('upgrade', () => abandon(wrong('the policy service wants another protocol')))
    request.on('error', (cause) => {
      const isIdle = request.reusedSocket && !hasReply && CLOSED_CODES.has(codeOf(cause))
      reject(
        isIdle ? new IdleConnectionClosed('unavailable', 'an idle connection was closed') : faultOf(cause, request),
      )
    })
    request.on('close', () => {
      clearTimeout(waiting)
      reject(absent('the connection was closed'))
    })
    request.end(body)
  })
}

/**
 * Reads a reply to its end. UNTRUSTED: its length is what it says or it is no reply, and above the cap nobody reads on. The body
 * of a reply that holds no answer by its status is left unread, and its connection is closed.
 */
function collect(
  response: IncomingMessage,
  mostBytes: number,
  abandon: (cause: Error) => void,
  resolve: (reply: Reply) => void,
): void {
  const status = response.statusCode ?? 0
  const headers = new Map(Object.entries(response.headersDistinct).map(([name, values]) => [name, values ?? []]))
  if (!BODY_STATUSES.has(status)) {
    resolve({ status, headers, body: new Uint8Array(0) })
    response.destroy()
    return
  }
  if (!isFramed(headers)) {
    abandon(wrong('the reply does not say where it ends'))
    return
  }
  const chunks: Buffer[] = []
  let size = 0
  response.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > mostBytes) abandon(wrong(`the reply is larger than ${mostBytes} bytes`))
    else chunks.push(chunk)
  })
  response.on('error', (cause) => abandon(absent('the reply broke off', cause)))
  const { socket } = response
  response.on('end', () => {
    // The parser closes a connection on which a second reply came together with the first.
    if (socket.destroyed) abandon(wrong('more came than one reply'))
    else if (response.complete) resolve({ status, headers, body: Buffer.concat(chunks, size) })
    else abandon(absent('the reply broke off'))
  })
}

/** A body that ends with its connection may be half a body (RFC 9112 section 6.3). */
function isFramed(headers: ReadonlyMap<string, readonly string[]>): boolean {
  const lengths = headers.get('content-length') ?? []
  const [coding, ...more] = headers.get('transfer-encoding') ?? []
  if (coding !== undefined) return more.length === 0 && coding.toLowerCase() === 'chunked' && lengths.length === 0
  return lengths.length === 1
}

/** Errors after which nobody has answered. Whatever is not listed refuses at every tier. */
const ABSENT_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'HPE_INVALID_EOF_STATE',
])

/** What an error of the connection means. Its message never holds what was sent. */
function faultOf(cause: Error, request: ClientRequest): Error {
  const code = codeOf(cause)
  if (cause.name === 'AbortError') return new AbsentAnswer('timeout', 'the question was given up', { cause })
  if (ABSENT_CODES.has(code)) return absent(`the policy service did not answer (${code})`, cause)
  if (code.startsWith('HPE_')) return wrong(`the reply is not HTTP as it should be (${code})`, cause)
  if (request.protocol === 'https:') {
    const found = `no trusted connection came about (${code}): this looks like our configuration, the address or the certificates`
    return new WrongAnswer('misconfigured', found, cause)
  }
  return wrong(`the question could not be sent (${code})`, cause)
}

function codeOf(cause: Error): string {
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name
}

function absent(message: string, cause?: unknown): AbsentAnswer {
  return new AbsentAnswer('unavailable', message, { cause })
}

function wrong(message: string, cause?: unknown): WrongAnswer {
  return new WrongAnswer('malformed', message, cause)
}
