import { randomUUID } from 'node:crypto'
import { cancelled } from '../../mcp/answers.ts'
import { reasonOf } from '../../mcp/attempt.ts'
import { CAPABILITIES, isModern, LISTEN, MODERN, VERSION } from '../../mcp/era.ts'
import { keepNewest } from '../../mcp/keep-newest.ts'
import {
  HEADER_MISMATCH,
  INVALID_PARAMS,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  MISSING_CLIENT_CAPABILITY,
  PARSE_ERROR,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../../mcp/keys.ts'
import { Link } from '../../mcp/link.ts'
import { LIST_CHANGED } from '../../mcp/listing.ts'
import { isObject, isRequestId, type Message, objectIn, type RequestId } from '../../mcp/message.ts'
import { Upstream } from '../../mcp/upstream.ts'
import { readServerFrame } from '../frames.ts'
import { type ChildTerms, ChildWire, inDoubt } from './child-wire.ts'
import { type About, Exchange } from './exchange.ts'
import { MOST_BACKLOG } from './outlet.ts'
import { paramMismatch } from './param-headers.ts'
import type { Session } from './sessions.ts'
import { principalKey, type Visit } from './visit.ts'

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'
/** The id of our own first request; clients' are counted from the next. */
const FIRST = 0
/** How long an answer is still heard after its client has left, ms. */
const GRACE_MS = 5_000
/** For how long a request that was given up may still be what its process talks of, ms: some are never answered. */
const LONGEST_TALK_MS = 600_000
const MOST_GIVEN_UP = 1_000

/** A client's request, from when it came until it has its answer. */
interface Visitor {
  readonly link: Link<About>
  readonly exchange: Exchange
}

/** A request that the process has and has not answered. */
interface Entry extends Visitor {
  readonly id: RequestId
  readonly token: RequestId | undefined
  readonly isSubscription: boolean
}

/**
 * One process for all of a principal's requests of the later era, which have no sessions. Clients count their ids from the same
 * numbers: here each request has an id and a progress token of its own, and its answers get back what the client wrote.
 */
export class SharedChild implements Session {
  readonly principal: string
  readonly #terms: ChildTerms
  readonly #upstream: Upstream
  readonly #wire: ChildWire
  readonly #conversation = randomUUID()
  readonly #visitors = new Set<Visitor>()
  readonly #open = new Map<number, Entry>()
  /** Requests that were given up and have no answer, with when they are forgotten (monotonic, ms). */
  readonly #givenUp = new Map<number, number>()
  #last = FIRST
  #isOfEra = false

  constructor({ who }: Visit, terms: ChildTerms) {
    const { name, gate } = terms
    this.#terms = terms
    this.principal = principalKey(who)
    this.#upstream = new Upstream(gate.gate, name, 'third-party')
    this.#wire = new ChildWire(terms, {
      line: (text) => this.#fromServer(text),
      over: (because) => this.#over(because),
    })
  }

  /** One message of a client's. Settles once it has its answer, or nobody waits for one. */
  async post(visit: Visit, message: unknown): Promise<void> {
    const link = this.#connect(visit)
    const exchange = new Exchange(visit, message, (left) => this.#left(left, link))
    const visitor = { link, exchange }
    this.#visitors.add(visitor)
    try {
      this.#settleEra(message)
      await link.fromClient(message, { exchange })
      if (exchange.isSent && exchange.id !== undefined) await exchange.over
    } catch (cause) {
      this.#terms.gate.note(`${this.#terms.name}: a message was lost: ${reasonOf(cause)}`)
      exchange.fail(502, 'the message could not be passed on')
    }
    this.#visitors.delete(visitor)
    exchange.finish()
    if (!exchange.gone.aborted) link.close()
  }

  close(): void {
    this.#wire.close('the proxy has ended it')
  }

  /** A process that speaks both eras takes the first message for its word: that must not be one that is of neither. */
  #settleEra(message: unknown): void {
    if (!this.#isOfEra && !isModern(objectIn(message, 'params'))) {
      const params = { _meta: { [VERSION]: MODERN, [CAPABILITIES]: {} } }
      this.#wire.send({ jsonrpc: '2.0', id: FIRST, method: 'server/discover', params })
    }
    this.#isOfEra = true
  }

  #connect({ who }: Visit): Link<About> {
    const { gate, name } = this.#terms
    const view = gate.viewFor(who, this.#conversation)
    const link: Link<About> = new Link<About>({
      upstream: this.#upstream,
      gateFor: () => view,
      toServer: (message, { exchange }) => this.#toServer(message, exchange, link),
      toClient: (message, { exchange }) => this.#toClient(message, exchange),
      note: (text) => gate.note(`${name}: ${text}`),
      contradiction: (call, definition, { exchange }) => paramMismatch(exchange.visit.request, call, definition),
      ...(gate.refused === undefined ? {} : { refused: gate.refused }),
    })
    return link
  }

  #toClient(message: Message, exchange: Exchange): void {
    exchange.answer(statusOf(message, exchange.posted), message)
    if (exchange.backlog > MOST_BACKLOG) exchange.breakOff()
  }

  /** In this era to go away is to cancel. What the server says soon after is still how the call ended. */
  #left(exchange: Exchange, link: Link<About>): void {
    const { id } = exchange
    if (id === undefined || exchange.isAnswered) return
    link.cancel(id)
    for (const [number, entry] of this.#open) {
      if (entry.exchange !== exchange) continue
      this.#wire.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: number } })
      setTimeout(() => this.#giveUp(number), GRACE_MS).unref()
    }
  }

  #toServer(message: Message, exchange: Exchange, link: Link<About>): void {
    const { method, id } = message
    if (method === 'notifications/cancelled') this.#cancel(message, link)
    // The server of this era asks nothing that could be answered.
    else if (isRequestId(id) && method !== undefined) this.#ask(message, id, exchange, link)
    else if (method !== undefined) this.#wire.send(message)
  }

  /** Sends a request under an id of its own. */
  #ask(message: Message, id: RequestId, exchange: Exchange, link: Link<About>): void {
    const isOwn = !exchange.carries(message)
    if (!isOwn) exchange.sent()
    const params = objectIn(message, 'params')
    const meta = objectIn(params, '_meta')
    const token = meta['progressToken']
    this.#last += 1
    this.#open.set(this.#last, {
      id,
      token: isRequestId(token) ? token : undefined,
      link,
      exchange: isOwn ? Exchange.unheard(exchange) : exchange,
      isSubscription: message['method'] === LISTEN,
    })
    const tracked = isRequestId(token) ? { ...params, _meta: { ...meta, progressToken: this.#last } } : params
    const sent = { ...message, id: this.#last, ...(isObject(message['params']) ? { params: tracked } : {}) }
    if (!this.#wire.send(sent)) throw new Error('its process no longer reads')
    const number = this.#last
    if (!isOwn && message['method'] !== LISTEN)
      this.#wire.bound(exchange.over, (late) => this.#giveUpOn(number, id, { link, exchange }, late))
  }

  /** The time is up: the client is told, and the server too; what comes later is for nobody. */
  #giveUpOn(number: number, id: RequestId, { link, exchange }: Visitor, late: string): void {
    this.#giveUp(number)
    link.lose(id)
    exchange.fail(504, `${this.#terms.name}: ${inDoubt(late)}`)
    this.#wire.send(cancelled(number))
  }

  /** Nobody hears of it any more; but its process may be at work on it. */
  #giveUp(number: number): void {
    const entry = this.#open.get(number)
    if (!this.#open.delete(number) || entry?.isSubscription === true) return
    keepNewest(this.#givenUp, number, performance.now() + LONGEST_TALK_MS, MOST_GIVEN_UP)
  }

  /** Of a request of the gate's own; a client of this era goes away instead. */
  #cancel(message: Message, link: Link<About>): void {
    const params = objectIn(message, 'params')
    for (const [number, entry] of this.#open) {
      if (entry.link !== link || entry.id !== params['requestId']) continue
      this.#open.delete(number)
      this.#wire.send({ ...message, params: { ...params, requestId: number } })
    }
  }

  /** UNTRUSTED: a line of the process. */
  #fromServer(text: string): void | Promise<void> {
    const { gate, name } = this.#terms
    const frame = readServerFrame(text)
    if (isObject(frame) && frame['id'] === FIRST && frame['method'] === undefined) return
    // INVARIANT I4: its tools are others for everybody, whoever is told of it, and though nobody is.
    if (isObject(frame) && frame['method'] === LIST_CHANGED) this.#upstream.listing.expire()
    const found = isObject(frame) ? this.#find(frame) : undefined
    if (isObject(frame) && frame['method'] === undefined) this.#givenUp.delete(Number(frame['id']))
    if (!isObject(frame) || found === undefined) {
      const what = isObject(frame) ? 'what belongs to no open request' : 'a line that is no message'
      gate.note(`${name} wrote ${what}; not passed on`)
      return
    }
    const [number, entry] = found
    if (frame['method'] === undefined) this.#open.delete(number)
    const { link, exchange } = entry
    return link.fromServer(asAsked(frame, number, entry), { exchange })
  }

  /** Which request this is about. What a process says to nobody in particular would be told to the wrong one. */
  #find(frame: Message): readonly [number, Entry] | undefined {
    const { id, method } = frame
    const params = objectIn(frame, 'params')
    if (method === undefined) return this.#entry(id)
    if (isRequestId(id)) return undefined
    const subscription = objectIn(params, '_meta')[SUBSCRIPTION]
    if (subscription !== undefined) return this.#entry(Number(subscription))
    if (method === 'notifications/progress') return this.#entry(params['progressToken'])
    const now = performance.now()
    if ([...this.#givenUp.values()].some((until) => until > now)) return undefined
    const waiting = [...this.#open].filter(([, { isSubscription, exchange }]) => !isSubscription && exchange.isSent)
    const [only, ...more] = waiting
    return more.length === 0 ? only : undefined
  }

  #entry(number: unknown): readonly [number, Entry] | undefined {
    const entry = typeof number === 'number' ? this.#open.get(number) : undefined
    return entry === undefined || typeof number !== 'number' ? undefined : [number, entry]
  }

  /** INVARIANT: what is held never runs, and what had begun is `unknown`; whoever waits is told. */
  #over(because: string): void {
    const { name, gate } = this.#terms
    if (this.#open.size > 0) gate.note(`${name}: ${because}, with ${this.#open.size} requests open`)
    for (const { link, exchange } of [...this.#visitors, ...this.#open.values()]) {
      link.close()
      exchange.fail(502, `${name}: ${exchange.isSent ? inDoubt(because) : because}`)
    }
    this.#open.clear()
    this.#upstream.close()
  }
}

/** The frame as the client would have got it, had the process been its own. */
function asAsked(frame: Message, number: number, { id, token }: Entry): Message {
  const of = (holder: Message): Message => {
    const meta = objectIn(holder, '_meta')
    return String(meta[SUBSCRIPTION]) === String(number)
      ? { ...holder, _meta: { ...meta, [SUBSCRIPTION]: id } }
      : holder
  }
  const { method, params, result } = frame
  if (method === undefined) return { ...frame, id, ...(isObject(result) ? { result: of(result) } : {}) }
  if (!isObject(params)) return frame
  const told = params['progressToken'] === number ? { ...params, progressToken: token } : params
  return { ...frame, params: of(told) }
}

/**
 * The status of an answer (MCP 2026-07-28, Streamable HTTP): what was wrong with the request as such is an HTTP error, and what
 * its handling gave is not.
 */
function statusOf({ error }: Message, posted: Message | undefined): number {
  const code = isObject(error) ? error['code'] : undefined
  const meta = objectIn(objectIn(posted, 'params'), '_meta')
  switch (code) {
    case METHOD_NOT_FOUND:
      return 404
    case PARSE_ERROR:
    case INVALID_REQUEST:
    case HEADER_MISMATCH:
    case MISSING_CLIENT_CAPABILITY:
    case UNSUPPORTED_PROTOCOL_VERSION:
      return 400
    case INVALID_PARAMS:
      return isObject(meta[CAPABILITIES]) ? 200 : 400
    default:
      return 200
  }
}
