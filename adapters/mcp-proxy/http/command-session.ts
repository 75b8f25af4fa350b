import { randomUUID } from 'node:crypto'
import { cancelled, errorFor } from '../../mcp/answers.ts'
import { keepNewest } from '../../mcp/keep-newest.ts'
import { NO_ANSWER } from '../../mcp/keys.ts'
import { Link } from '../../mcp/link.ts'
import { isObject, isRequestId, keyOf, type Message, objectIn, type RequestId } from '../../mcp/message.ts'
import { Upstream } from '../../mcp/upstream.ts'
import { readServerFrame } from '../frames.ts'
import type { HeaderField } from '../upstream-headers.ts'
import { type ChildTerms, ChildWire, inDoubt } from './child-wire.ts'
import { Journal } from './journal.ts'
import { Outlet } from './outlet.ts'
import { Reply } from './reply.ts'
import type { Session } from './sessions.ts'
import { headerOf, principalKey, turnAway, type Visit } from './visit.ts'

/** The revisions that have sessions over HTTP. */
const REVISIONS = ['2025-03-26', '2025-06-18', '2025-11-25']
/** Since this one, an event without data is a place to resume from. */
const MARKS_SINCE = '2025-11-25'
/** Requests of the server's whose streams are remembered. */
const MOST_ASKED = 1_000
/** What is not about one request, and goes to whoever listens for such. */
const UNASKED = /^notifications\/(?:(?:tools|prompts|resources)\/list_changed|resources\/updated|tasks\/)/

interface About {
  readonly outlet: Outlet
}

/** One session of the earlier era in front of a process of its own: whatever the process says is about this one client. */
export class CommandSession implements Session {
  readonly id = randomUUID()
  readonly principal: string
  readonly #terms: ChildTerms
  readonly #link: Link<About>
  readonly #upstream: Upstream
  readonly #wire: ChildWire
  readonly #journal = new Journal()
  readonly #unasked: Outlet
  /** By the id of the request, in the order in which they came. */
  readonly #open = new Map<string, Outlet>()
  /** Where the server's own requests went, by their ids. */
  readonly #asked = new Map<string, Outlet>()
  #streams = 0
  #revision: string | undefined

  constructor({ who }: Visit, terms: ChildTerms) {
    const { name, gate } = terms
    this.#terms = terms
    this.principal = principalKey(who)
    this.#upstream = new Upstream(gate.gate, name, 'third-party')
    const view = gate.viewFor(who, this.id)
    this.#link = new Link<About>({
      upstream: this.#upstream,
      gateFor: () => view,
      toServer: (message, { outlet }) => this.#toServer(message, outlet),
      toClient: (message, { outlet }) => outlet.say(message),
      note: (text) => gate.note(`${name}: ${text}`),
      ...(gate.refused === undefined ? {} : { refused: gate.refused }),
    })
    this.#streams += 1
    this.#unasked = new Outlet({ number: this.#streams, journal: this.#journal, knowsMarks: false, isUnasked: true })
    this.#wire = new ChildWire(terms, {
      line: (text) => this.#fromServer(text),
      over: (because) => this.#over(because),
    })
  }

  /** One message of the client's. Settles once it has its answer, or nobody waits for one. */
  async post(visit: Visit, message: unknown): Promise<void> {
    if (!this.#speaksFor(visit)) return
    const outlet = this.#outlet(isObject(message) ? message : undefined)
    const { id } = outlet
    const key = id === undefined ? undefined : keyOf(id)
    if (key !== undefined && !this.#open.has(key)) this.#open.set(key, outlet)
    const reply = this.#listener(visit, outlet)
    outlet.attach(reply)
    try {
      const passed = this.#link.fromClient(message, { outlet })
      // What is wrong with a message shows at once, and is no stream.
      outlet.open()
      await passed
      this.#forget(message)
      if (!outlet.isSent) outlet.finish()
      await outlet.over
    } finally {
      if (key !== undefined && this.#open.get(key) === outlet) this.#open.delete(key)
    }
  }

  /** Somebody listens: for what is said unasked, or for the rest of a stream that broke off. */
  async listen(visit: Visit): Promise<void> {
    if (!this.#speaksFor(visit)) return
    const since = headerOf(visit.request, 'last-event-id')
    const missed = since === undefined ? undefined : this.#journal.after(since)
    if (since !== undefined && missed === undefined) return turnAway(visit, 400, 'there is no such event to go on from')
    const outlet = this.#outletNumbered(missed?.stream ?? this.#unasked.number)
    const { promise: gone, resolve: leave } = Promise.withResolvers<void>()
    const reply = this.#listener(visit, outlet, leave)
    if (!reply.canStream) return turnAway(visit, 406, 'this is answered with text/event-stream')
    reply.stream(200, [])
    outlet.attach(reply, missed?.events)
    outlet.open()
    await Promise.race([gone, outlet.over])
  }

  close(): void {
    this.#wire.close('the session was ended')
  }

  /** Whoever cancels waits for no answer. */
  #forget(message: unknown): void {
    if (!isObject(message) || message['method'] !== 'notifications/cancelled') return
    const { requestId } = objectIn(message, 'params')
    if (isRequestId(requestId)) this.#open.get(keyOf(requestId))?.finish()
  }

  #outlet(posted: Message | undefined): Outlet {
    this.#streams += 1
    const revision = this.#revision ?? objectIn(posted, 'params')['protocolVersion']
    return new Outlet({
      number: this.#streams,
      journal: this.#journal,
      knowsMarks: typeof revision === 'string' && revision >= MARKS_SINCE,
      headers: (answer) => this.#headersOf(answer, posted),
      ...(posted === undefined ? {} : { posted }),
    })
  }

  /** The stream with this number; one that is over, where nothing of it is left to be said. */
  #outletNumbered(number: number): Outlet {
    if (number === this.#unasked.number) return this.#unasked
    const open = [...this.#open.values()].find((one) => one.number === number)
    if (open !== undefined) return open
    const over = new Outlet({ number, journal: this.#journal, knowsMarks: false })
    over.finish()
    return over
  }

  #listener(visit: Visit, outlet: Outlet, left?: () => void): Reply {
    const reply = new Reply(visit, () => {
      outlet.detach(reply)
      left?.()
      // Whoever did not hear what their session is called cannot end it either.
      if (outlet.posted?.['method'] === 'initialize' && !outlet.isOver) return this.#terms.ended()
      // To go away is not to cancel in this era; but whom nobody has begun for, nobody will.
      if (outlet.id === undefined || outlet.isOver || outlet.isSent) return
      this.#link.cancel(outlet.id)
      outlet.finish()
    })
    return reply
  }

  /** Does the request speak a revision that this session has (MCP 2025-06-18, protocol version header)? */
  #speaksFor(visit: Visit): boolean {
    const said = headerOf(visit.request, 'mcp-protocol-version')
    if (said === undefined || said === this.#revision || REVISIONS.includes(said)) return true
    turnAway(visit, 400, 'this session speaks another revision than the header MCP-Protocol-Version says')
    return false
  }

  #headersOf({ result }: Message, posted: Message | undefined): readonly HeaderField[] {
    return posted?.['method'] === 'initialize' && isObject(result) ? [['mcp-session-id', this.id]] : []
  }

  #toServer(message: Message, outlet: Outlet): void {
    const { id } = outlet
    const isOwn = message === outlet.posted || (id !== undefined && message['id'] === id)
    if (isOwn) outlet.sent()
    const isTaken = this.#wire.send(message)
    if (isOwn && id !== undefined) this.#wire.bound(outlet.over, (late) => this.#giveUpOn(id, outlet, late))
    // Notifications and answers are taken, and nothing more is said of them.
    if (isTaken && id === undefined && message === outlet.posted) outlet.finish()
  }

  /** The time is up: the client is told, and the server too; what comes later is for nobody. */
  #giveUpOn(id: RequestId, outlet: Outlet, late: string): void {
    this.#link.lose(id)
    outlet.say(errorFor(id, NO_ANSWER, `holdpoint: ${this.#terms.name}: ${inDoubt(late)}`))
    this.#wire.send(cancelled(id))
  }

  /** UNTRUSTED: a line of the process. */
  #fromServer(text: string): void | Promise<void> {
    const { gate, name } = this.#terms
    const frame = readServerFrame(text)
    if (frame === undefined) return gate.note(`${name} wrote a line to its stdout that is no JSON; not passed on`)
    this.#learn(frame)
    return this.#link.fromServer(frame, { outlet: this.#outletFor(frame) })
  }

  /** The first answer says which revision the session speaks; an error there is no session. */
  #learn(frame: unknown): void {
    if (this.#revision !== undefined || !isObject(frame) || !isRequestId(frame['id'])) return
    const outlet = this.#open.get(keyOf(frame['id']))
    if (outlet?.posted?.['method'] !== 'initialize' || frame['method'] !== undefined) return
    const { protocolVersion } = objectIn(frame, 'result')
    if (typeof protocolVersion === 'string') this.#revision = protocolVersion
    else queueMicrotask(() => this.#terms.ended())
  }

  /** On which stream this belongs: that of its own request, where that can be told. */
  #outletFor(frame: unknown): Outlet {
    if (!isObject(frame)) return this.#unasked
    const { id, method } = frame
    const params = objectIn(frame, 'params')
    if (method === undefined) return (isRequestId(id) ? this.#open.get(keyOf(id)) : undefined) ?? this.#unasked
    if (isRequestId(id)) return this.#asks(keyOf(id))
    const { progressToken, requestId } = params
    if (method === 'notifications/progress') return this.#withToken(progressToken) ?? this.#unasked
    if (method === 'notifications/cancelled' && isRequestId(requestId))
      return this.#asked.get(keyOf(requestId)) ?? this.#unasked
    const isUnasked = typeof method === 'string' && UNASKED.test(method) && this.#unasked.isHeard
    return isUnasked ? this.#unasked : this.#newest()
  }

  /** A process over stdio does not say for whose sake it asks: it is at work on the newest request, as a rule. */
  #asks(key: string): Outlet {
    const outlet = this.#newest()
    keepNewest(this.#asked, key, outlet, MOST_ASKED)
    return outlet
  }

  #newest(): Outlet {
    const heard = [...this.#open.values()].filter((one) => one.isSent && one.isHeard)
    return heard.at(-1) ?? this.#unasked
  }

  #withToken(token: unknown): Outlet | undefined {
    if (!isRequestId(token)) return undefined
    return [...this.#open.values()].find(({ posted }) => {
      return objectIn(objectIn(posted, 'params'), '_meta')['progressToken'] === token
    })
  }

  /** INVARIANT: what had begun is `unknown`; whoever waits is told. */
  #over(because: string): void {
    const { name, gate } = this.#terms
    this.#link.close()
    this.#upstream.close()
    if (this.#open.size > 0) gate.note(`${name}: ${because}, with ${this.#open.size} requests open`)
    for (const outlet of this.#open.values()) {
      const text = `holdpoint: ${name}: ${inDoubt(because)}`
      if (outlet.id !== undefined) outlet.say(errorFor(outlet.id, NO_ANSWER, text))
    }
    this.#unasked.finish()
  }
}
