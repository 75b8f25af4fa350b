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

/** Shorter than servers keep an idle connection: one that is being closed must not be given a call. */
const IDLE_CONNECTION_MS = 4_000

/** A server that speaks Streamable HTTP. Redirects are not followed; certificates are checked by the system's authorities. */
export class Remote {
  readonly #url: URL
  readonly #agent: http.Agent
  readonly #answerMs: number

  /** @throws HoldpointError ERR_CONFIG for a URL of another scheme, or with a password in it */
  constructor(url: URL, answerMs: number) {
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new HoldpointError('ERR_CONFIG', `--upstream: ${url.protocol}// is not http or https`, { at: '--upstream' })
    if (url.username !== '' || url.password !== '') {
      const why = '--upstream: a password in a URL is seen by whoever lists the processes: use --upstream-header'
      throw new HoldpointError('ERR_CONFIG', why, { at: '--upstream' })
    }
    this.#url = url
    this.#answerMs = answerMs
    const terms = { keepAlive: true, timeout: IDLE_CONNECTION_MS }
    this.#agent = url.protocol === 'https:' ? new https.Agent(terms) : new http.Agent(terms)
  }

  /**
   * Sends one request, and resolves as soon as the answer begins.
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
    request.on('response', (answer) => {
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
    const late = () => {
      reject(new RemoteFault(504, `the server did not begin to answer within ${this.#answerMs} ms`))
      request.destroy()
    }
    const timer = terms.isPatient === true ? undefined : setTimeout(late, this.#answerMs)
    request.end(terms.body)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    this.#agent.destroy()
  }
}

function grouped(headers: readonly HeaderField[]): ReadonlyMap<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    groups.set(key, [...(groups.get(key) ?? []), value])
  }
  return groups
}
