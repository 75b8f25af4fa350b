import type { Gate, RefusedAdmission, ToolDefinition } from '../../src/index.ts'
import { errorFor, resultFor } from './answers.ts'
import { reasonOf } from './attempt.ts'
import { Inquiries } from './inquiries.ts'
import { keepNewest } from './keep-newest.ts'
import { INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST } from './keys.ts'
import { Lister } from './lister.ts'
import { LIST_CHANGED } from './listing.ts'
import {
  isObject,
  isRequestId,
  keyOf,
  type Message,
  objectIn,
  type Reading,
  type RequestId,
  readMessage,
} from './message.ts'
import type { Open } from './open.ts'
import { Contradicted, type Fate, Passage, type Permitted } from './passage.ts'
import { keepPatient } from './patience.ts'
import { type Reply, replyIn } from './question.ts'
import { Returning } from './returning.ts'
import { Running } from './running.ts'
import { SamplingGate } from './sampling.ts'
import { ServerRequests } from './server-requests.ts'
import type { Upstream } from './upstream.ts'

/** How long a person may think in a form: clients give up on a request after 60 s. */
const LONGEST_QUESTION_MS = 45_000
/** Ids of requests that were given up, remembered by connection. A server that does as it is told never answers them. */
const MOST_GIVEN_UP = 1_000

/** What one connection works with. `About` is whatever its transport wants to have back beside a message. */
export interface LinkTerms<About> {
  readonly upstream: Upstream
  /** The gate as whoever sent this is seen by it. */
  readonly gateFor: (about: About) => Gate
  readonly toServer: (message: Message, about: About) => void | Promise<void>
  readonly toClient: (message: Message, about: About) => void | Promise<void>
  /** For the operator: what was not passed on, and why. Never arguments. */
  readonly note: (text: string) => void
  /** A call was refused; its `request` is what a person could still answer. */
  readonly refused?: (admission: RefusedAdmission) => void
  /** What the transport carries beside a call may contradict it: the error that it is answered with then. */
  readonly contradiction?: (call: Message, definition: ToolDefinition, about: About) => Message | undefined
  readonly onSilence?: 'refuse' | 'hold'
  readonly holdMs?: number
}

type Asked = Extract<Reading, { readonly kind: 'request' }>
type Notified = Extract<Reading, { readonly kind: 'notification' }>
type Answer = Extract<Reading, { readonly kind: 'response' }>
type Unreadable = Extract<Reading, { readonly kind: 'unreadable' }>

/**
 * One MCP connection as the gate sees it: every frame of either side comes in here, and what may pass leaves. Calls are held
 * until they are permitted, and answered where they are not; everything else goes through untouched. Both protocol eras.
 */
export class Link<About> {
  readonly #terms: LinkTerms<About>
  /** Makes the calls of this connection unlike those of any other: clients count from zero. */
  readonly #name: string = crypto.randomUUID()
  readonly #open = new Map<string, Open>()
  /** What the server has and may answer yet, though nobody waits: another request under such an id would get that answer. */
  readonly #givenUp = new Map<string, true>()
  /** What we ask of either side ourselves. */
  readonly #ofServer = new Inquiries()
  readonly #ofClient = new Inquiries()
  readonly #lister: Lister
  readonly #serverRequests: ServerRequests<About>
  readonly #returning: Returning<About>
  readonly #closed = new AbortController()
  #capabilities: Message = {}

  constructor(terms: LinkTerms<About>) {
    this.#terms = terms
    const { note, upstream } = terms
    const { signal } = this.#closed
    const sampling = new SamplingGate(terms)
    this.#lister = new Lister({ listing: upstream.listing, inquiries: this.#ofServer, note, signal })
    this.#serverRequests = new ServerRequests({ ...terms, sampling }, this.#name)
    const list = (like: Message, about: About) => this.#list(like, about)
    this.#returning = new Returning({ ...terms, sampling, list, signal })
  }

  /** A frame from the client. Settles once it is passed on or answered; rejects only where the transport does. */
  fromClient(frame: unknown, about: About): void | Promise<void> {
    const reading = readMessage(frame)
    switch (reading.kind) {
      case 'unreadable':
        return this.#unreadableOfClient(reading, about)
      case 'complaint':
        return this.#terms.toServer(reading.message, about)
      case 'response':
        if (this.#ofClient.take(reading.id, reading.message)) return undefined
        return this.#serverRequests.answered(reading, about)
      case 'notification':
        return this.#notified(reading, about)
      case 'request':
        return this.#requested(reading, about)
    }
  }

  /** A frame from the server. */
  fromServer(frame: unknown, about: About): void | Promise<void> {
    const reading = readMessage(frame)
    switch (reading.kind) {
      case 'unreadable':
        return this.#unreadableOfServer(reading, about)
      case 'complaint':
        return this.#terms.toClient(reading.message, about)
      case 'request':
        return this.#serverRequests.asked(reading, about)
      case 'notification':
        return this.#heard(reading, about)
      case 'response':
        if (this.#ofServer.take(reading.id, reading.message)) return undefined
        return this.#answered(reading, about)
    }
  }

  /** Whoever made this request no longer waits. False where the server has not heard of it, and never will. */
  cancel(id: unknown): boolean {
    if (!isRequestId(id)) return true
    const key = keyOf(id)
    const open = this.#open.get(key)
    if (open === undefined) return true
    if (open.stage === 'held') {
      open.abort.abort()
      this.#open.delete(key)
      return false
    }
    // What the server says in time is still how the call ended.
    if (open.running === undefined) this.#giveUp(key)
    else open.running.left(() => this.#giveUp(key))
    return true
  }

  /** The answer to this request will never come: its call has an outcome that nobody knows. */
  lose(id: RequestId): void {
    const key = keyOf(id)
    const open = this.#open.get(key)
    if (open?.stage !== 'sent') return
    open.running?.lost()
    this.#giveUp(key)
  }

  /** The connection is gone: nothing that is held will run, and what runs is never heard of. */
  close(): void {
    this.#closed.abort()
    for (const open of this.#open.values()) {
      if (open.stage === 'held') open.abort.abort()
      else open.running?.lost()
    }
    this.#open.clear()
    this.#serverRequests.close()
  }

  #giveUp(key: string): void {
    this.#open.delete(key)
    keepNewest(this.#givenUp, key, true, MOST_GIVEN_UP)
  }

  get #label(): string {
    return this.#terms.upstream.listing.label
  }

  #unreadableOfClient({ because, id, isAnswer }: Unreadable, about: About): void | Promise<void> {
    this.#terms.note(`from the client: ${because}; not passed on`)
    // The id of an answer is the server's: no request of the client's is answered under it.
    return this.#terms.toClient(errorFor(isAnswer ? null : id, INVALID_REQUEST, `holdpoint: ${because}`), about)
  }

  /** Whoever waits for an answer that cannot be read waits in vain. */
  #unreadableOfServer({ because, id, isAnswer }: Unreadable, about: About): void | Promise<void> {
    this.#terms.note(`from ${this.#label}: ${because}; not passed on`)
    const key = isAnswer && id !== null ? keyOf(id) : ''
    const open = this.#open.get(key)
    if (open?.stage !== 'sent' || id === null) return undefined
    this.#open.delete(key)
    open.running?.lost()
    return this.#terms.toClient(errorFor(id, INTERNAL_ERROR, `holdpoint: the server answered, but ${because}`), about)
  }

  #notified({ method, params, message }: Notified, about: About): void | Promise<void> {
    const isHeld = method === 'notifications/cancelled' && !this.cancel(params['requestId'])
    return isHeld ? undefined : this.#terms.toServer(message, about)
  }

  #requested(asked: Asked, about: About): void | Promise<void> {
    const { id, method, params, message } = asked
    const key = keyOf(id)
    if (this.#open.has(key)) {
      const because = 'this id belongs to a request that is still open'
      return this.#terms.toClient(errorFor(null, INVALID_REQUEST, `holdpoint: ${because}`), about)
    }
    // INVARIANT I6: the answer to one call never goes on record as the outcome of another.
    if (this.#givenUp.has(key)) {
      const because = 'this id belongs to a request that was given up, and may be answered yet: take another'
      return this.#terms.toClient(errorFor(id, INVALID_REQUEST, `holdpoint: ${because}`), about)
    }
    if (method === 'tools/call') return this.#called(asked, about)
    if (method === 'initialize') this.#capabilities = objectIn(params, 'capabilities')
    const ours = method.startsWith('tasks/') ? this.#terms.upstream.tasks.answer(method, params) : undefined
    if (ours !== undefined) return this.#terms.toClient(resultFor(id, ours), about)
    this.#open.set(key, { stage: 'sent', method, params })
    return this.#terms.toServer(message, about)
  }

  /** A call is held until it is decided. Whatever goes wrong meanwhile is an answer, and never a call that runs. */
  async #called(asked: Asked, about: About): Promise<void> {
    const { id, params } = asked
    const { name, arguments: input = {} } = params
    if (typeof name !== 'string' || !isObject(input)) {
      const because = 'tools/call wants the name of a tool, and an object of arguments'
      return this.#terms.toClient(errorFor(id, INVALID_PARAMS, `holdpoint: ${because}`), about)
    }
    const abort = new AbortController()
    this.#open.set(keyOf(id), { stage: 'held', abort })
    const stop = keepPatient(params, (notification) => this.#terms.toClient(notification, about))
    const judge = async () => await this.#passage(asked, about, abort.signal).decide(name, input)
    const fate = await judge().catch((cause: unknown) => this.#failed(cause, id))
    stop()
    // Whoever has left gets no answer, and what was permitted for them does not run.
    if (abort.signal.aborted) return giveBack(fate)
    this.#open.delete(keyOf(id))
    switch (fate.kind) {
      case 'permitted':
        return this.#begin(fate, asked, about)
      case 'answered':
        return this.#terms.toClient(resultFor(id, fate.result), about)
      case 'failed':
        return this.#terms.toClient(fate.error, about)
    }
  }

  /** INVARIANT I3, I4: the permit begins and the server gets the parse of the decided bytes, both on this turn. */
  async #begin({ admission, params, lapsed }: Permitted, { id, message }: Asked, about: About): Promise<void> {
    const begun = admission.begin()
    if (begun.outcome === 'refused') return this.#terms.toClient(resultFor(id, lapsed(begun.refusal)), about)
    const key = keyOf(id)
    const running = new Running(admission)
    this.#open.set(key, { stage: 'sent', method: 'tools/call', params, running })
    try {
      const decided = { ...objectIn(begun, 'beside'), arguments: begun.input }
      await this.#terms.toServer({ ...message, params: { ...params, ...decided } }, about)
    } catch (cause) {
      // It may have gone out all the same.
      this.#giveUp(key)
      running.lost()
      throw cause
    }
  }

  #passage({ id, params, message }: Asked, about: About, signal: AbortSignal): Passage {
    const { upstream, gateFor, refused, contradiction, onSilence = 'refuse', holdMs } = this.#terms
    return new Passage(params, {
      upstream,
      gate: gateFor(about),
      signal,
      callId: `${this.#name}:${keyOf(id)}`,
      capabilities: this.#capabilities,
      list: () => this.#list(params, about),
      elicit: (question) => this.#elicit(question, about, signal),
      refused: (admission) => refused?.(admission),
      contradiction: (definition) => contradiction?.(message, definition, about),
      onSilence,
      holdMs,
    })
  }

  #failed(cause: unknown, id: RequestId): Fate {
    if (cause instanceof Contradicted) return { kind: 'failed', error: cause.error }
    this.#terms.note(`a call of a tool of ${this.#label} failed in the gate: ${reasonOf(cause)}`)
    const said = 'holdpoint: the gate failed; the tool did not run'
    return { kind: 'failed', error: errorFor(id, INTERNAL_ERROR, said) }
  }

  /** The person at a client of the earlier era; a later one is asked between two rounds. */
  async #elicit(question: Message, about: About, signal: AbortSignal): Promise<Reply> {
    const send = (message: Message) => this.#terms.toClient(message, about)
    const request = { method: 'elicitation/create', params: question }
    return await this.#ofClient
      .ask(request, send, { deadlineMs: LONGEST_QUESTION_MS, signal })
      .then(replyIn, () => 'unanswered')
  }

  #list(like: Message, about: About): Promise<void> {
    return this.#lister.list(like, (message) => this.#terms.toServer(message, about))
  }

  #heard({ method, params, message }: Notified, about: About): void | Promise<void> {
    const { listing, tasks } = this.#terms.upstream
    if (method === LIST_CHANGED) listing.expire()
    if (method === 'notifications/tasks/status') tasks.heard(params)
    const isHeld = method === 'notifications/cancelled' && !this.#serverRequests.cancel(params['requestId'])
    return isHeld ? undefined : this.#returning.told(message, params, about)
  }

  /** An answer goes to whoever asked, once; with what the gate has to say of it. */
  #answered(answer: Answer, about: About): void | Promise<void> {
    const key = keyOf(answer.id)
    const open = this.#open.get(key)
    if (open?.stage !== 'sent') {
      this.#givenUp.delete(key)
      return this.#terms.note(`from ${this.#label}: an answer to no request; not passed on`)
    }
    this.#open.delete(key)
    return this.#returning.answered(open, answer, about)
  }
}

/** A permit that nobody will use goes back. */
async function giveBack(fate: Fate): Promise<void> {
  if (fate.kind === 'permitted') await fate.admission.settle({ status: 'not_executed' })
}
