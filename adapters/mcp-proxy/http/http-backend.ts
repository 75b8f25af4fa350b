import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isModern, LISTEN } from '../../mcp/era.ts'
import { UNKNOWN_SESSION } from '../../mcp/keys.ts'
import { Link } from '../../mcp/link.ts'
import { isObject, type Message, objectIn, objectOf } from '../../mcp/message.ts'
import { Upstream } from '../../mcp/upstream.ts'
import { frameText } from '../frames.ts'
import { upstreamHeaders } from '../upstream-headers.ts'
import { Asides, withBody, withoutBody } from './asides.ts'
import { type About, Exchange } from './exchange.ts'
import { paramMismatch, withDecidedParams } from './param-headers.ts'
import { passOn } from './pass-on.ts'
import { readMessagePosted } from './posted.ts'
import { Remote, RemoteFault } from './remote.ts'
import { askedOn, remember, type Sessionless, SessionlessByPrincipal } from './sessionless.ts'
import { type Session, Sessions } from './sessions.ts'
import type { GateTerms, Limits, UpstreamTerms } from './terms.ts'
import { type Backend, headerOf, NO_SESSION, principalKey, turnAwayFull, turnAwayUnknown, type Visit } from './visit.ts'

type HttpUpstream = Extract<UpstreamTerms, { readonly kind: 'http' }>

/** One MCP connection: a session of the earlier era, or one request of the later. */
interface Connection extends Session {
  readonly link: Link<About>
  readonly asides: Asides
  isOver: boolean
  /** Has the server answered in it? */
  isKnown: boolean
}

/**
 * A reverse proxy in front of a server that speaks Streamable HTTP. Sessions, streams and their resumption are the upstream's;
 * what the proxy keeps of a session is the link: what is held, asked and under way in it.
 */
export class HttpBackend implements Backend {
  readonly #terms: HttpUpstream
  readonly #gate: GateTerms
  readonly #limits: Limits
  readonly #remote: Remote
  readonly #sessions: Sessions<Connection>
  readonly #sessionless: SessionlessByPrincipal<Connection>
  /** Is there more than one principal to tell apart? */
  readonly #isShared: boolean

  constructor(terms: HttpUpstream, gate: GateTerms, { limits, isShared }: { limits: Limits; isShared: boolean }) {
    this.#terms = terms
    this.#gate = gate
    this.#limits = limits
    this.#isShared = isShared
    this.#remote = new Remote(terms.url, limits.answerMs)
    this.#sessionless = new SessionlessByPrincipal(gate.gate, terms.name)
    this.#sessions = new Sessions({ most: limits.maxSessions, isShared }, limits.idleMs)
  }

  /** Whether the server is up shows with each request. */
  async open(): Promise<void> {}

  async visit(visit: Visit): Promise<void> {
    switch (visit.request.method) {
      case 'POST':
        return await this.#posted(visit)
      case 'GET':
        return await this.#listened(visit)
      default:
        return await this.#ended(visit)
    }
  }

  async close(): Promise<void> {
    this.#sessions.close()
    this.#sessionless.close()
    this.#remote.close()
  }

  async #posted(visit: Visit): Promise<void> {
    const message = await readMessagePosted(visit, this.#limits.maxFrameBytes)
    if (message === undefined) return
    const sessionId = headerOf(visit.request, 'mcp-session-id')
    const isLater = isModern(objectIn(message, 'params'))
    // The later era has no sessions; a server that knows them all the same must not be shown somebody else's.
    if (isLater && this.#isForeign(visit, sessionId)) return turnAwayUnknown(visit)
    if (!isLater && sessionId !== undefined) {
      return await this.#inSession(visit, sessionId, (connection) => this.#carry(visit, message, connection, 'session'))
    }
    if (!isLater && objectOf(message)['method'] === 'initialize') {
      return await this.#begun(visit, message)
    }
    const sessionless = this.#sessionless.of(visit.who)
    const asker = isLater || !isObject(message) ? undefined : askedOn(sessionless, message)
    await this.#carry(
      visit,
      message,
      asker ?? this.#connect(visit, sessionless),
      asker === undefined ? 'single' : 'session',
    )
  }

  /** Until the server says what its session is called it has a name of ours: many that begin at once are as many. */
  async #begun(visit: Visit, message: unknown): Promise<void> {
    if (this.#sessions.isFullFor(principalKey(visit.who))) return turnAwayFull(visit)
    const connection = this.#connect(visit)
    const provisional = randomUUID()
    this.#sessions.keep(provisional, connection)
    await this.#carry(visit, message, connection, 'session').finally(() => this.#sessions.release(provisional))
  }

  /** Takes one message through the link, and gives the client what comes of it. */
  async #carry(visit: Visit, message: unknown, connection: Connection, span: 'session' | 'single'): Promise<void> {
    const exchange = new Exchange(visit, message, (left) => this.#left(left, connection))
    try {
      await connection.link.fromClient(message, { exchange })
    } catch (cause) {
      exchange.fail(500, 'the message could not be passed on')
      this.#note(cause instanceof Error ? cause.message : 'a message was lost')
    }
    if (connection.isOver && exchange.id !== undefined) exchange.fail(404, NO_SESSION, UNKNOWN_SESSION)
    exchange.finish()
    if (span === 'single') connection.close()
  }

  /**
   * Before the server has heard of it, it never will. After that its answer leaves with the client: what becomes of a call then is
   * known to nobody, but where the client can come back for the rest of the stream.
   */
  #left(exchange: Exchange, connection: Connection): void {
    const { id, isSent, isAnswered, isResumable } = exchange
    if (id === undefined || isAnswered) return
    if (!isSent) connection.link.cancel(id)
    else if (!isResumable) connection.link.lose(id)
  }

  async #listened(visit: Visit): Promise<void> {
    const listen = async (connection: Connection) => {
      const exchange = new Exchange(visit, undefined, () => undefined)
      await this.#ask('GET', exchange, connection, { isPatient: true })
      exchange.finish()
    }
    const sessionId = headerOf(visit.request, 'mcp-session-id')
    if (sessionId !== undefined) return await this.#inSession(visit, sessionId, listen)
    // A place in a stream of nobody's session: of several principals, nobody knows whose it was.
    if (this.#isShared && headerOf(visit.request, 'last-event-id') !== undefined) return turnAwayUnknown(visit)
    const connection = this.#connect(visit, this.#sessionless.of(visit.who))
    await listen(connection)
    connection.close()
  }

  async #ended(visit: Visit): Promise<void> {
    const sessionId = headerOf(visit.request, 'mcp-session-id')
    const end = async (connection: Connection) => {
      const exchange = new Exchange(visit, undefined, () => undefined)
      const status = await this.#ask('DELETE', exchange, connection)
      exchange.finish()
      if (sessionId !== undefined && status !== undefined && status < 300) this.#sessions.drop(sessionId)
    }
    await (sessionId === undefined ? end(this.#connect(visit)) : this.#inSession(visit, sessionId, end))
  }

  /**
   * One that we do not know is the upstream's to judge where there is one principal; where there are several, nobody knows whose
   * it is, and the client must begin anew.
   */
  async #inSession(visit: Visit, id: string, work: (connection: Connection) => Promise<void>): Promise<void> {
    if (this.#isForeign(visit, id)) return turnAwayUnknown(visit)
    const principal = principalKey(visit.who)
    const known = this.#sessions.find(id, principal)
    if (known === undefined && this.#sessions.isFullFor(principal)) return turnAwayFull(visit)
    const connection = known ?? this.#connect(visit)
    if (known === undefined) this.#sessions.keep(id, connection)
    await this.#sessions.using(id, () => work(connection))
    if (!connection.isKnown) this.#sessions.dropUnused(id)
  }

  #isForeign(visit: Visit, id: string | undefined): boolean {
    if (id === undefined || this.#sessions.find(id, principalKey(visit.who)) !== undefined) return false
    return this.#isShared || this.#sessions.has(id)
  }

  #connect(visit: Visit, sessionless?: Sessionless<Connection>): Connection {
    const { gate, viewFor, refused } = this.#gate
    const { name } = this.#terms
    const upstream = sessionless?.upstream ?? new Upstream(gate, name, 'third-party')
    const view = viewFor(visit.who, sessionless?.conversation ?? randomUUID())
    const link = new Link<About>({
      upstream,
      gateFor: () => view,
      toServer: (message, { exchange }) => this.#send(message, exchange, connection),
      toClient: (message, { exchange, mark }) => {
        if (sessionless !== undefined) remember(sessionless, message, connection)
        exchange.say(message, mark)
      },
      note: (text) => this.#note(text),
      contradiction: (call, definition, { exchange }) => {
        exchange.definition = definition
        return paramMismatch(exchange.visit.request, call, definition)
      },
      ...(refused === undefined ? {} : { refused }),
    })
    const connection: Connection = {
      link,
      principal: principalKey(visit.who),
      asides: this.#asides(() => connection),
      isOver: false,
      isKnown: false,
      close: () => {
        connection.isOver = true
        link.close()
        connection.asides.close()
        if (sessionless === undefined) upstream.close()
      },
    }
    return connection
  }

  #asides(connection: () => Connection): Asides {
    return new Asides({
      remote: this.#remote,
      own: this.#terms.headers ?? new Map(),
      maxFrameBytes: this.#limits.maxFrameBytes,
      note: (text) => this.#note(text),
      hear: (frame, unheard) => connection().link.fromServer(frame, { exchange: unheard }),
      begun: (answer, exchange) => this.#learnSession(answer, exchange, connection()),
    })
  }

  /** The link wants the server to have a message: the client's own, or one of the gate's. */
  async #send(message: Message, exchange: Exchange, connection: Connection): Promise<void> {
    if (!exchange.carries(message)) return await connection.asides.send(message, exchange)
    // Nothing goes out for whoever has gone.
    if (exchange.gone.aborted) throw new Error('the client has gone')
    exchange.sent()
    const isPatient = message['method'] === LISTEN
    await this.#ask('POST', exchange, connection, { message, isPatient })
    const { id } = exchange
    if (id === undefined || exchange.isResumable || exchange.gone.aborted || connection.isOver) return
    // Where the link has heard an answer, none is lost.
    connection.link.lose(id)
    exchange.fail(502, 'the server gave no answer to this request')
  }

  /** @returns the status of the answer; none where there was no answer that could be read */
  async #ask(
    method: 'POST' | 'GET' | 'DELETE',
    exchange: Exchange,
    connection: Connection,
    { message, isPatient }: { readonly message?: Message; readonly isPatient?: boolean } = {},
  ): Promise<number | undefined> {
    const { maxFrameBytes } = this.#limits
    const own = this.#terms.headers ?? new Map<string, string>()
    const { definition, visit } = exchange
    const passed = upstreamHeaders(visit.request.rawHeaders, own)
    const agreeing =
      message === undefined || definition === undefined
        ? passed
        : withDecidedParams(passed, visit.request, message, definition)
    const body = message === undefined ? {} : { body: frameText(message) }
    const headers = message === undefined ? withoutBody(agreeing) : withBody(agreeing)
    const patience = isPatient === undefined ? {} : { isPatient }
    try {
      const answer = await this.#remote.send(method, headers, { ...body, ...patience, signal: exchange.gone })
      this.#learnSession(answer, exchange, connection)
      await passOn(answer, exchange, {
        hear: (frame, mark) => connection.link.fromServer(frame, { exchange, ...(mark === undefined ? {} : { mark }) }),
        note: (text) => this.#note(text),
        maxFrameBytes,
        own,
      })
      return answer.statusCode
    } catch (cause) {
      if (exchange.gone.aborted) return undefined
      if (!(cause instanceof RemoteFault)) throw cause
      this.#note(cause.message)
      // Whoever can come back for the rest of a stream does, but not once the time is up.
      if (exchange.isResumable && cause.status !== 504) return undefined
      if (exchange.id !== undefined) connection.link.lose(exchange.id)
      exchange.fail(cause.status, cause.message)
      return undefined
    }
  }

  /** The upstream says which session it has begun, or that it knows this one no longer. */
  #learnSession(answer: IncomingMessage, { visit, posted }: Exchange, connection: Connection): void {
    const { statusCode = 502, headers } = answer
    const asked = headerOf(visit.request, 'mcp-session-id')
    if (asked !== undefined && statusCode === 404) {
      if (this.#sessions.find(asked, connection.principal) === connection) this.#sessions.drop(asked)
      return
    }
    if (statusCode < 400) connection.isKnown = true
    const begun = headers['mcp-session-id']
    if (posted?.['method'] !== 'initialize' || typeof begun !== 'string' || statusCode >= 300) return
    if (!this.#sessions.has(begun)) this.#sessions.keep(begun, connection)
  }

  #note(text: string): void {
    this.#gate.note(`${this.#terms.name}: ${text}`)
  }
}
