import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { HoldpointError } from '../../../src/index.ts'
import type { HeaderField } from '../upstream-headers.ts'

/** Why an upstream gave no answer that can be read. */
export class RemoteFault extends Error {
  override readonly name = 'RemoteFault'
  readonly status: 502 | 504

  constructor(status: 502 | 504, because: string) {
    super(because)
    this.status = status
  }
}

/** A stream of events. */
export const EVENTS = 'text/event-stream'
/** Shorter than servers keep an idle connection: one that is being closed must not be given a call. */
const IDLE_CONNECTION_MS = 4_000
/** How long a server may be silent before it begins to answer, where nobody says, ms. */
const LONGEST_SILENCE_MS = 5 * 60_000

/** A server that speaks Streamable HTTP. Redirects are not followed; certificates are checked by the system's authorities. */
export class Remote {
  readonly #url: URL
  readonly #agent: http.Agent
  readonly #answerMs: number
  /** Is that for the whole answer, and not for its beginning alone? */
  readonly #isForAll: boolean

  /**
   * @param answerMs how long it may take to answer, the end of its stream included
   * @throws HoldpointError ERR_CONFIG for a URL of another scheme, or with a password in it
   */
  constructor(url: URL, answerMs: number | undefined) {
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new HoldpointError('ERR_CONFIG', `--upstream: ${url.protocol}// is not http or https`, { at: '--upstream' })
    if (url.username !== '' || url.password !== '') {
      const why = '--upstream: a password in a URL is seen by whoever lists the processes: use --upstream-header'
      throw new HoldpointError('ERR_CONFIG', why, { at: '--upstream' })
    }
    this.#url = url
    this.#answerMs = answerMs ?? LONGEST_SILENCE_MS
    this.#isForAll = answerMs !== undefined
    const terms = { keepAlive: true, timeout: IDLE_CONNECTION_MS }
    this.#agent = url.protocol === 'https:' ? new https.Agent(terms) : new http.Agent(terms)
  }

  /**
   * Sends one request, and resolves as soon as the answer begins. Where it is late later on, whoever reads it gets the fault.
   *
   * @param isPatient no deadline: a stream on which the server may be silent for as long as it likes
   * @throws RemoteFault
   */
  async send(
    method: 'POST' | 'GET' | 'DELETE',
    headers: readonly HeaderField[],
    terms: { readonly body?: string; readonly signal: AbortSignal; readonly isPatient?: boolean },
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const { request: send } = this.#url.protocol === 'https:' ? https : http
    const request = send(this.#url, { method, agent: this.#agent })
    let begun: IncomingMessage | undefined
    const late = () => {
      const fault = new RemoteFault(504, `the server did not answer within ${this.#answerMs} ms`)
      reject(fault)
      if (begun === undefined) request.destroy()
      else begun.destroy(fault)
    }
    const timer = terms.isPatient === true ? undefined : setTimeout(late, this.#answerMs)
    request.on('close', () => clearTimeout(timer))
    request.on('response', (answer) => {
      begun = answer
      // On a stream it may be at work for as long as its client waits.
      if (!this.#isForAll && mediaTypeOf(answer) === EVENTS) clearTimeout(timer)
      // Whoever reads it hears of this as well; one that breaks off between two reads must not end the process.
      answer.on('error', () => undefined)
      resolve(answer)
    })
    // Not by the request's own signal: that throws where nobody listens any more.
    const leave = () => request.destroy()
    terms.signal.addEventListener('abort', leave)
    request.on('close', () => terms.signal.removeEventListener('abort', leave))
    if (terms.signal.aborted) leave()
    request.on('error', (cause: NodeJS.ErrnoException) => {
      reject(new RemoteFault(502, `the server cannot be reached (${cause.code ?? 'the connection failed'})`))
    })
    for (const [name, values] of grouped(headers)) request.setHeader(name, values)
    request.end(terms.body)
    return await promise
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** Of the body, without its parameters. */
export function mediaTypeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').replace(/;.*$/s, '').trim().toLowerCase()
}

function grouped(headers: readonly HeaderField[]): ReadonlyMap<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    groups.set(key, [...(groups.get(key) ?? []), value])
  }
  return groups
}
