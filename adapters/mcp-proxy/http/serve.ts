import { readFileSync } from 'node:fs'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import { HoldpointError } from '../../../src/index.ts'
import { reasonOf } from '../../mcp/attempt.ts'
import { createTokenCheck, type TokenCheck } from '../auth.ts'
import { type AllowedNames, allowedNames, checkHostAndOrigin, inBrackets } from '../hosts.ts'
import { checkAddress } from '../listen-rules.ts'
import { resourceMetadata, resourcePathOf } from '../metadata.ts'
import { CommandBackend } from './command-backend.ts'
import { HttpBackend } from './http-backend.ts'
import { DEFAULT_LIMITS, type ServeTerms } from './terms.ts'
import { answerWhole, type Backend, turnAway, type Visit } from './visit.ts'

/** A proxy that listens. */
export interface Served {
  /** Where: `http://127.0.0.1:8808`. */
  readonly address: string
  /** Ends every session, child and connection. */
  close(): Promise<void>
}

const METHODS: readonly unknown[] = ['POST', 'GET', 'DELETE']
/** Longer than clients pause between two requests, mostly. */
const KEEP_ALIVE_MS = 30_000

/**
 * Serves MCP over Streamable HTTP at `/mcp/<name>`, with a gate in front of each upstream. Nothing is served before everything
 * that can be checked is.
 *
 * @throws HoldpointError ERR_CONFIG, in one line: an address that must not be listened on, a port that is taken, a certificate
 *   that cannot be read, a URL that is none of ours
 */
export async function serveHttp(terms: ServeTerms): Promise<Served> {
  const { host, port, tls, behindProxy = false, tokens } = terms
  checkAddress({ host, tls: tls !== undefined, behindProxy, authenticated: tokens !== undefined })
  const check = tokens === undefined ? undefined : createTokenCheck(tokens)
  const backends = backendsOf(terms)
  const front = new Front(terms, backends, check)
  const answer = (request: IncomingMessage, response: ServerResponse) => void front.answer(request, response)
  const server =
    tls === undefined
      ? http.createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, answer)
      : https.createServer({ keepAliveTimeout: KEEP_ALIVE_MS, ...certificateOf(tls) }, answer)
  const opened = await listening(server, host, port)
  try {
    // Before the first request is answered: it waits until our own names are known.
    await Promise.all([...backends.values()].map((backend) => backend.open()))
  } catch (cause) {
    server.close()
    await Promise.all([...backends.values()].map((backend) => backend.close()))
    throw cause
  }
  front.open(opened)
  return {
    address: `${schemeOf(tls)}://${inBrackets(host)}:${opened}`,
    async close() {
      server.close()
      await Promise.all([...backends.values()].map((backend) => backend.close()))
      server.closeAllConnections()
    },
  }
}

function backendsOf(terms: ServeTerms): ReadonlyMap<string, Backend> {
  const limits = { ...DEFAULT_LIMITS, ...terms.limits }
  const isShared = terms.tokens !== undefined
  return new Map(
    terms.upstreams.map((upstream): [string, Backend] => {
      if (upstream.kind === 'http') return [upstream.name, new HttpBackend(upstream, terms, { limits, isShared })]
      return [upstream.name, new CommandBackend(upstream, terms, { limits, isShared })]
    }),
  )
}

function schemeOf(tls: ServeTerms['tls']): 'http' | 'https' {
  return tls === undefined ? 'http' : 'https'
}

function certificateOf({ cert, key }: { readonly cert: string; readonly key: string }): {
  readonly cert: Buffer
  readonly key: Buffer
} {
  const read = (file: string, at: string): Buffer => {
    try {
      return readFileSync(file)
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code
      throw new HoldpointError('ERR_CONFIG', `${at}: ${file} cannot be read (${code})`, { at, cause })
    }
  }
  return { cert: read(cert, '--tls-cert'), key: read(key, '--tls-key') }
}

async function listening(server: http.Server, host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, host.replace(/^\[|\]$/g, ''), resolve)
  try {
    await promise
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be listened on (${code})`
    throw new HoldpointError('ERR_CONFIG', `--listen: ${host}:${port} ${why}`, { at: '--listen', cause })
  }
  server.off('error', reject)
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

/** Decides which requests go on, and where to. */
class Front {
  readonly #terms: ServeTerms
  readonly #backends: ReadonlyMap<string, Backend>
  readonly #check: TokenCheck | undefined
  #allowed: AllowedNames = { hosts: new Set(), origins: new Set() }

  constructor(terms: ServeTerms, backends: ReadonlyMap<string, Backend>, check: TokenCheck | undefined) {
    this.#terms = terms
    this.#backends = backends
    this.#check = check
  }

  /** The port is known: only now can we tell our own names. */
  open(port: number): void {
    const { host, tls, publicUrl, origins } = this.#terms
    this.#allowed = allowedNames({
      host,
      port,
      tls: tls !== undefined,
      ...(publicUrl === undefined ? {} : { publicUrl }),
      ...(origins === undefined ? {} : { origins }),
    })
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response)
    } catch (cause) {
      // INVARIANT I4: whatever fails here has executed nothing.
      this.#terms.note(`a request failed: ${reasonOf(cause)}`)
      if (response.headersSent) response.destroy()
      else turnAway({ response }, 500, 'the request could not be answered')
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const stranger = checkHostAndOrigin(request.headersDistinct, this.#allowed)
    if (stranger !== undefined) {
      this.#terms.note(`a request was turned away: ${stranger.because}; ${stranger.remedy}`)
      return turnAway({ response }, 403, stranger.because)
    }
    const path = URL.parse(request.url ?? '/', 'http://localhost')?.pathname ?? '/'
    const described = resourcePathOf(path)
    if (described !== undefined) return this.#describe(request, response, described)
    const backend = this.#backendAt(path)
    if (backend === undefined) return turnAway({ response }, 404, 'there is no server at this path')
    if (!METHODS.includes(request.method)) {
      return turnAway({ response }, 405, 'POST, GET and DELETE are answered', {
        headers: [['allow', METHODS.join(', ')]],
      })
    }
    const visit = await this.#admitted(request, response, path)
    if (visit !== undefined) await backend.visit(visit)
  }

  #backendAt(path: string): Backend | undefined {
    const [, name] = /^\/mcp\/([^/]+)$/.exec(path) ?? []
    if (name !== undefined) return this.#backends.get(name)
    const [only, ...more] = this.#backends.values()
    return path === '/mcp' && more.length === 0 ? only : undefined
  }

  async #admitted(request: IncomingMessage, response: ServerResponse, path: string): Promise<Visit | undefined> {
    if (this.#check === undefined) return { request, response, who: undefined }
    const verdict = await this.#check(request.headersDistinct['authorization'], this.#resource(request, path))
    // Whoever has gone meanwhile asks nothing any more.
    if (response.destroyed) return undefined
    if (verdict.ok) return { request, response, who: verdict.who }
    const header: readonly [string, string] =
      verdict.status === 503
        ? ['retry-after', String(verdict.retryAfterS)]
        : ['www-authenticate', verdict.wwwAuthenticate]
    turnAway({ response }, verdict.status, verdict.because, { headers: [header, ['connection', 'close']] })
    return undefined
  }

  /** Our own description as a resource server: asked without a token, to learn where to get one. */
  #describe(request: IncomingMessage, response: ServerResponse, path: string): void {
    const { tokens } = this.#terms
    if (tokens === undefined || this.#backendAt(path) === undefined || request.method !== 'GET') {
      turnAway({ response }, 404, 'there is no such document')
      return
    }
    const { issuer, scopes } = tokens
    const resource = this.#resource(request, path)
    answerWhole(response, 200, resourceMetadata({ resource, issuer, ...(scopes === undefined ? {} : { scopes }) }))
  }

  /** The URL that the client asked for: by the public name, or by whichever of our own names it used, which was checked. */
  #resource({ headers }: IncomingMessage, path: string): string {
    const { publicUrl, tls } = this.#terms
    return `${publicUrl?.origin ?? `${schemeOf(tls)}://${headers.host}`}${path}`
  }
}
