import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isModern } from '../../mcp/era.ts'
import { Link } from '../../mcp/link.ts'
import { isObject, isRequestId, keyOf, type Message, objectIn } from '../../mcp/message.ts'
import { Upstream } from '../../mcp/upstream.ts'
import { frameText } from '../frames.ts'
import { type HeaderField, upstreamHeaders } from '../upstream-headers.ts'
import { standardHeaders } from './agreement.ts'
import { type About, Exchange } from './exchange.ts'
import { passOn } from './pass-on.ts'
import { readMessagePosted } from './posted.ts'
import { Remote, RemoteFault } from './remote.ts'
import { type Session, Sessions } from './sessions.ts'
import type { GateTerms, Limits, UpstreamTerms } from './terms.ts'
import { type Backend, headerOf, principalKey, turnAway, type Visit } from './visit.ts'

type HttpUpstream = Extract<UpstreamTerms, { readonly kind: 'http' }>

/** One MCP connection: a session of the earlier era, or one request of the later. */
interface Connection extends Session {
  readonly link: Link<About>
  /** Our own requests to the server that have no answer yet, by id. */
  readonly asides: Map<string, AbortController>
  isOver: boolean
  /** Has the server answered in it? */
  isKnown: boolean
}

/** What requests without a session have in common, principal by principal. */
interface Realm {
  readonly upstream: Upstream
  readonly conversation: string
  /** Who is asked what by the server of a client without a session: the answer comes by a request of its own. */
  readonly asked: Map<string, Connection>
}

const MOST_REALMS = 1_000
const MOST_ASKED = 1_000
const NO_SESSION = 'there is no such session'
/** What servers of the earlier era say of a session that they do not know. */
const UNKNOWN_SESSION = -32_001
const RETRY_AFTER: readonly HeaderField[] = [['retry-after', '5']]

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
  readonly #realms = new Map<string, Realm>()
  /** Is there more than one principal to tell apart? */
  readonly #isShared: boolean

  constructor(terms: HttpUpstream, gate: GateTerms, { limits, isShared }: { limits: Limits; isShared: boolean }) {
    this.#terms = terms
    this.#gate = gate
    this.#limits = limits
    this.#isShared = isShared
    this.#remote = new Remote(terms.url, limits.answerMs)
    this.#sessions = new Sessions(limits.maxSessions, limits.idleMs)
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
    for (const { upstream } of this.#realms.values()) upstream.close()
    this.#remote.close()
  }

  async #posted(visit: Visit): Promise<void> {
    const message = await readMessagePosted(visit, this.#limits.maxFrameBytes)
    if (message === undefined) return
    const sessionId = headerOf(visit.request, 'mcp-session-id')
    const isLater = isModern(objectIn(message, 'params'))
    if (!isLater && sessionId !== undefined) {
      return await this.#inSession(visit, sessionId, (connection) => this.#carry(visit, message, connection, 'session'))
    }
    if (!isLater && objectIn({ message }, 'message')['method'] === 'initialize') {
      if (this.#sessions.isFull) return this.#turnAwayFull(visit)
      return await this.#carry(visit, message, this.#connect(visit), 'session')
    }
    const realm = this.#realmOf(visit)
    const asker = isLater ? undefined : this.#askerOf(realm, message)
    await this.#carry(visit, message, asker ?? this.#connect(visit, realm), asker === undefined ? 'single' : 'session')
  }

  /** Takes one message through the link, and gives the client what comes of it. */
  async #carry(visit: Visit, message: unknown, connection: Connection, span: 'session' | 'single'): Promise<void> {
    const exchange = new Exchange(visit, message, (left) => this.#left(left, connection, span))
    try {
      await connection.link.fromClient(message, { exchange })
    } catch (cause) {
      exchange.fail(500, 'the message could not be passed on')
      this.#gate.note(`${this.#terms.name}: ${cause instanceof Error ? cause.message : 'failed'}`)
    }
    if (connection.isOver && exchange.id !== undefined) exchange.fail(404, NO_SESSION, UNKNOWN_SESSION)
    exchange.finish()
    if (span === 'single' && !exchange.gone.aborted) connection.close()
  }

  /** Before the server has heard of it, it never will; in the later era to go away is to cancel, in the earlier it is not. */
  #left(exchange: Exchange, connection: Connection, span: 'session' | 'single'): void {
    const { id, isSent, isAnswered, isResumable } = exchange
    if (id === undefined || isAnswered) return
    if (!isSent || span === 'single') connection.link.cancel(id)
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
    const connection = this.#connect(visit, this.#realmOf(visit))
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
    const principal = principalKey(visit.who)
    const known = this.#sessions.find(id, principal)
    if (known === undefined && (this.#isShared || this.#sessions.has(id)))
      return turnAway(visit, 404, NO_SESSION, { code: UNKNOWN_SESSION })
    if (known === undefined && this.#sessions.isFull) return this.#turnAwayFull(visit)
    const connection = known ?? this.#connect(visit)
    if (known === undefined) this.#sessions.keep(id, connection)
    await this.#sessions.using(id, () => work(connection))
    if (!connection.isKnown) this.#sessions.drop(id)
  }

  #turnAwayFull(visit: Visit): void {
    turnAway(visit, 503, 'there are as many sessions as may be', { headers: RETRY_AFTER })
  }

  #connect(visit: Visit, realm?: Realm): Connection {
    const { gate, viewFor, note, refused } = this.#gate
    const { name } = this.#terms
    const upstream = realm?.upstream ?? new Upstream(gate, name, 'third-party')
    const view = viewFor(visit.who, realm?.conversation ?? randomUUID())
    const link = new Link<About>({
      upstream,
      gateFor: () => view,
      toServer: (message, { exchange }) => this.#send(message, exchange, connection),
      toClient: (message, { exchange, mark }) => {
        if (realm !== undefined) remember(realm.asked, message, connection)
        exchange.say(message, mark)
      },
      note: (text) => note(`${name}: ${text}`),
      ...(refused === undefined ? {} : { refused }),
    })
    const connection: Connection = {
      link,
      principal: principalKey(visit.who),
      asides: new Map(),
      isOver: false,
      isKnown: false,
      close: () => {
        connection.isOver = true
        link.close()
        for (const abort of connection.asides.values()) abort.abort()
        if (realm === undefined) upstream.close()
      },
    }
    return connection
  }

  #realmOf({ who }: Visit): Realm {
    const key = principalKey(who)
    const known = this.#realms.get(key)
    const upstream = known?.upstream ?? new Upstream(this.#gate.gate, this.#terms.name, 'third-party')
    const realm = known ?? { upstream, conversation: randomUUID(), asked: new Map() }
    // The one used last is the last to be forgotten.
    this.#realms.delete(key)
    this.#realms.set(key, realm)
    for (const [oldest, { upstream: old }] of this.#realms) {
      if (this.#realms.size <= MOST_REALMS) break
      this.#realms.delete(oldest)
      old.close()
    }
    return realm
  }

  #askerOf(realm: Realm, message: unknown): Connection | undefined {
    if (!isObject(message) || message['method'] !== undefined || !isRequestId(message['id'])) return undefined
    return realm.asked.get(keyOf(message['id']))
  }

  /** The link wants the server to have a message: the client's own, or one of the gate's. */
  async #send(message: Message, exchange: Exchange, connection: Connection): Promise<void> {
    if (!exchange.carries(message)) return await this.#sendAside(message, exchange, connection)
    exchange.sent()
    const isPatient = message['method'] === 'subscriptions/listen'
    await this.#ask('POST', exchange, connection, { body: frameText(message), isPatient })
    const { id } = exchange
    if (id === undefined || exchange.isResumable || exchange.gone.aborted) return
    // Where the link has heard an answer, none is lost.
    connection.link.lose(id)
    exchange.fail(502, 'the server gave no answer to this request')
  }

  /** @returns the status of the answer; none where there was no answer that could be read */
  async #ask(
    method: 'POST' | 'GET' | 'DELETE',
    exchange: Exchange,
    connection: Connection,
    terms: { readonly body?: string; readonly isPatient?: boolean } = {},
  ): Promise<number | undefined> {
    const { maxFrameBytes } = this.#limits
    const own = this.#terms.headers ?? new Map<string, string>()
    const headers = bodied(upstreamHeaders(exchange.visit.request.rawHeaders, own), terms.body !== undefined)
    try {
      const answer = await this.#remote.send(method, headers, { ...terms, signal: exchange.gone })
      this.#learnSession(answer, exchange, connection)
      await passOn(answer, exchange, {
        hear: (frame, mark) => connection.link.fromServer(frame, { exchange, ...(mark === undefined ? {} : { mark }) }),
        note: (text) => this.#gate.note(`from ${this.#terms.name}: ${text}`),
        maxFrameBytes,
      })
      return answer.statusCode
    } catch (cause) {
      if (exchange.gone.aborted) return undefined
      if (!(cause instanceof RemoteFault)) throw cause
      this.#gate.note(`${this.#terms.name}: ${cause.message}`)
      if (exchange.id !== undefined && !exchange.isResumable) connection.link.lose(exchange.id)
      if (!exchange.isResumable) exchange.fail(cause.status, cause.message)
      return undefined
    }
  }

  /** The upstream says which session it has begun, or that it knows this one no longer. */
  #learnSession(answer: IncomingMessage, { visit, posted }: Exchange, connection: Connection): void {
    const { statusCode = 502, headers } = answer
    const asked = headerOf(visit.request, 'mcp-session-id')
    if (asked !== undefined && statusCode === 404) {
      this.#sessions.drop(asked)
      return
    }
    if (statusCode < 400) connection.isKnown = true
    const begun = headers['mcp-session-id']
    if (posted?.['method'] !== 'initialize' || typeof begun !== 'string' || statusCode >= 300) return
    if (!this.#sessions.has(begun)) this.#sessions.keep(begun, connection)
  }

  /** A message of the gate's own, for the sake of the client's: a request by itself, whose answer the link alone hears. */
  async #sendAside(message: Message, exchange: Exchange, connection: Connection): Promise<void> {
    const { method, id } = message
    if (method === 'notifications/cancelled') {
      // Of a question of our own: over HTTP to go away says it.
      connection.asides.get(String(objectIn(message, 'params')['requestId']))?.abort()
      return
    }
    const abort = new AbortController()
    const key = String(id)
    if (method !== undefined) connection.asides.set(key, abort)
    const unheard = Exchange.unheard(exchange)
    let isAnswered = method === undefined
    try {
      const answer = await this.#remote.send('POST', this.#asideHeaders(message, exchange), {
        body: frameText(message),
        signal: abort.signal,
      })
      this.#learnSession(answer, exchange, connection)
      await passOn(answer, unheard, {
        hear: (frame) => {
          isAnswered ||= isObject(frame) && frame['id'] === id
          return connection.link.fromServer(frame, { exchange: unheard })
        },
        note: this.#gate.note,
        maxFrameBytes: this.#limits.maxFrameBytes,
      })
    } finally {
      connection.asides.delete(key)
    }
    // Whoever waits for the answer need not wait for its deadline.
    if (!isAnswered) throw new RemoteFault(502, 'the server gave no answer')
  }

  #asideHeaders(message: Message, { visit }: Exchange): readonly HeaderField[] {
    const own = this.#terms.headers ?? new Map<string, string>()
    const ofMessage = standardHeaders(message)
    const isOf = /^(?:mcp-method|mcp-name|mcp-param-.*|last-event-id|accept)$/i
    const kept = upstreamHeaders(visit.request.rawHeaders, own).filter(([name]) => !isOf.test(name))
    const wantsMethod = headerOf(visit.request, 'mcp-method') !== undefined
    const accept: HeaderField = ['accept', 'application/json, text/event-stream']
    return bodied([...kept, accept, ...(wantsMethod ? ofMessage : [])], true)
  }
}

/** The body is ours: one that is read, judged and written anew. */
function bodied(headers: readonly HeaderField[], hasBody: boolean): readonly HeaderField[] {
  const kept = headers.filter(([name]) => !/^content-(?:type|length|encoding)$/i.test(name))
  const identity: HeaderField = ['accept-encoding', 'identity']
  return [...kept, identity, ...(hasBody ? [['content-type', 'application/json'] as const] : [])]
}

function remember(asked: Map<string, Connection>, message: Message, connection: Connection): void {
  const { id, method } = message
  if (method === undefined || !isRequestId(id)) return
  asked.set(keyOf(id), connection)
  const [oldest] = asked.keys()
  if (asked.size > MOST_ASKED && oldest !== undefined) asked.delete(oldest)
}
