import type { Gate, PermittedAdmission, RefusedAdmission } from '../../src/index.ts'
import { errorFor, refusalResult, resultFor } from './answers.ts'
import { metaLike } from './era.ts'
import { Inquiries } from './inquiries.ts'
import { INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, SAMPLING_REFUSED } from './keys.ts'
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
import { type Fate, Passage } from './passage.ts'
import { keepPatient } from './patience.ts'
import { type Reply, replyIn } from './question.ts'
import { Running } from './running.ts'
import { samplingIn } from './sampling.ts'
import { ServerRequests } from './server-requests.ts'
import type { Upstream } from './upstream.ts'

/** How long a person may think in a form: clients give up on a request after 60 s. */
const LONGEST_QUESTION_MS = 45_000
/** How long a server may take to list its tools to us, page by page, and in how many pages. */
const LONGEST_LISTING_MS = 10_000
const MOST_PAGES = 100

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
  readonly onSilence?: 'refuse' | 'hold'
  readonly holdMs?: number
}

/** A request of the client's that has no answer yet. */
type Open =
  /** It is being decided; the server has not heard of it. */
  | { readonly stage: 'held'; readonly abort: AbortController }
  | { readonly stage: 'sent'; readonly method: string; readonly params: Message; readonly running?: Running }

type Asked = Extract<Reading, { readonly kind: 'request' }>
type Notified = Extract<Reading, { readonly kind: 'notification' }>
type Answer = Extract<Reading, { readonly kind: 'response' }>

/**
 * One MCP connection as the gate sees it: every frame of either side comes in here, and what may pass leaves. Calls are held
 * until they are permitted, and answered where they are not; everything else goes through untouched. Both protocol eras.
 */
export class Link<About> {
  readonly #terms: LinkTerms<About>
  /** Makes the calls of this connection unlike those of any other: clients count from zero. */
  readonly #name: string = crypto.randomUUID()
  readonly #open = new Map<string, Open>()
  /** What we ask of either side ourselves. */
  readonly #ofServer = new Inquiries()
  readonly #ofClient = new Inquiries()
  readonly #serverRequests: ServerRequests<About>
  #capabilities: Message = {}
  #listing: Promise<void> | undefined

  constructor(terms: LinkTerms<About>) {
    this.#terms = terms
    this.#serverRequests = new ServerRequests(terms, this.#name)
  }

  /** A frame from the client. Settles once it is passed on or answered; rejects only where the transport does. */
  fromClient(frame: unknown, about: About): void | Promise<void> {
    const reading = readMessage(frame)
    switch (reading.kind) {
      case 'unreadable':
        this.#terms.note(`from the client: ${reading.because}; not passed on`)
        return this.#terms.toClient(errorFor(reading.id, INVALID_REQUEST, `holdpoint: ${reading.because}`), about)
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
        return this.#terms.note(`from ${this.#label}: ${reading.because}; not passed on`)
      case 'complaint':
        return this.#terms.toClient(reading.message, about)
      case 'request':
        return this.#serverRequests.asked(reading, about)
      case 'notification':
        this.#heard(reading)
        return this.#terms.toClient(reading.message, about)
      case 'response':
        if (this.#ofServer.take(reading.id, reading.message)) return undefined
        return this.#answered(reading, about)
    }
  }

  /** Whoever made this request no longer waits. False where the server has not heard of it, and never will. */
  cancel(id: unknown): boolean {
    if (!isRequestId(id)) return true
    const open = this.#open.get(keyOf(id))
    if (open?.stage === 'held') {
      open.abort.abort()
      this.#open.delete(keyOf(id))
      return false
    }
    open?.running?.left()
    return true
  }

  /** The connection is gone: nothing that is held will run, and what runs is never heard of. */
  close(): void {
    for (const open of this.#open.values()) {
      if (open.stage === 'held') open.abort.abort()
      else open.running?.lost()
    }
    this.#open.clear()
    this.#serverRequests.close()
  }

  get #label(): string {
    return this.#terms.upstream.listing.label
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
    const passage = this.#passage(asked, about, abort.signal)
    const stop = keepPatient(params, (notification) => void this.#terms.toClient(notification, about))
    const fate = await passage.decide(name, input).catch((cause: unknown) => this.#failed(cause))
    stop()
    // Whoever has left gets no answer, and what was permitted for them does not run.
    if (abort.signal.aborted) return giveBack(fate)
    this.#open.delete(keyOf(id))
    switch (fate.kind) {
      case 'permitted':
        return this.#begin(fate.admission, passage, asked, about)
      case 'answered':
        return this.#terms.toClient(resultFor(id, passage.shaped(fate.result)), about)
      case 'failed':
        return this.#terms.toClient(
          errorFor(id, INTERNAL_ERROR, 'holdpoint: the gate failed; the tool did not run'),
          about,
        )
    }
  }

  /** INVARIANT I3, I4: the permit begins and the server gets the parse of the decided bytes, both on this turn. */
  async #begin(admission: PermittedAdmission, passage: Passage, { id, message }: Asked, about: About): Promise<void> {
    const begun = admission.begin()
    if (begun.outcome === 'refused') {
      const result = passage.shaped(passage.lapsed(admission, begun.refusal))
      return this.#terms.toClient(resultFor(id, result), about)
    }
    const key = keyOf(id)
    const running = new Running(admission)
    const { params } = passage
    this.#open.set(key, { stage: 'sent', method: 'tools/call', params, running })
    try {
      await this.#terms.toServer({ ...message, params: { ...params, arguments: begun.input } }, about)
    } catch (cause) {
      // It may have gone out all the same.
      this.#open.delete(key)
      running.lost()
      throw cause
    }
  }

  #passage({ id, params }: Asked, about: About, signal: AbortSignal): Passage {
    const { upstream, gateFor, refused, onSilence = 'refuse', holdMs } = this.#terms
    return new Passage(params, {
      upstream,
      gate: gateFor(about),
      signal,
      callId: `${this.#name}:${keyOf(id)}`,
      capabilities: this.#capabilities,
      list: () => this.#list(params, about),
      elicit: (question) => this.#elicit(question, about, signal),
      refused: (admission) => refused?.(admission),
      onSilence,
      holdMs,
    })
  }

  #failed(cause: unknown): Fate {
    const because = cause instanceof Error ? cause.message : 'nobody knows why'
    this.#terms.note(`a call of a tool of ${this.#label} failed in the gate: ${because}`)
    return { kind: 'failed' }
  }

  /** The person at a client of the earlier era; a later one is asked between two rounds. */
  async #elicit(question: Message, about: About, signal: AbortSignal): Promise<Reply> {
    const send = (message: Message) => this.#terms.toClient(message, about)
    const request = { method: 'elicitation/create', params: question }
    return await this.#ofClient
      .ask(request, send, { deadlineMs: LONGEST_QUESTION_MS, signal })
      .then(replyIn, () => 'unanswered')
  }

  /** Asks the server for all of its tools, once for however many calls want them. */
  #list(params: Message, about: About): Promise<void> {
    this.#listing ??= this.#listAll(params, about).finally(() => {
      this.#listing = undefined
    })
    return this.#listing
  }

  async #listAll(params: Message, about: About): Promise<void> {
    const signal = AbortSignal.timeout(LONGEST_LISTING_MS)
    const send = (message: Message) => this.#terms.toServer(message, about)
    const tools: unknown[] = []
    let cursor: string | undefined
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const asked = { ...metaLike(params), ...(cursor === undefined ? {} : { cursor }) }
      const request = { method: 'tools/list', params: asked }
      const listed = await this.#ofServer.ask(request, send, { deadlineMs: LONGEST_LISTING_MS, signal })
      if (Array.isArray(listed['tools'])) tools.push(...listed['tools'])
      const { nextCursor } = listed
      if (typeof nextCursor !== 'string') return this.#terms.upstream.listing.learn(tools)
      cursor = nextCursor
    }
  }

  #heard({ method, params }: Notified): void {
    const { listing, tasks } = this.#terms.upstream
    if (method === 'notifications/tools/list_changed') listing.expire()
    if (method === 'notifications/tasks/status') tasks.heard(params)
  }

  /** An answer goes to whoever asked, once; with what the gate has to say of it. */
  #answered({ id, message }: Answer, about: About): void | Promise<void> {
    const key = keyOf(id)
    const open = this.#open.get(key)
    if (open?.stage !== 'sent') return this.#terms.note(`from ${this.#label}: an answer to no request; not passed on`)
    this.#open.delete(key)
    const answer = this.#settled(open, message)
    const samplings = samplingIn(objectIn(message, 'result'))
    if (samplings.length > 0) return this.#sampled(samplings, id, open.method, answer, about)
    return this.#terms.toClient(answer, about)
  }

  #settled({ method, params, running }: Extract<Open, { readonly stage: 'sent' }>, message: Message): Message {
    const { listing, tasks } = this.#terms.upstream
    const { result } = message
    if (running !== undefined) return tasks.begin(running, message) ?? running.answered(message)
    if (!isObject(result)) return message
    switch (method) {
      case 'tools/list': {
        const { cursor } = params
        const page = listing.take(typeof cursor === 'string' ? cursor : undefined, result)
        return page === result ? message : { ...message, result: page }
      }
      case 'tasks/result':
        return tasks.end(params['taskId'])?.answered(message) ?? message
      case 'tasks/get':
      case 'tasks/cancel':
        tasks.heard(result)
        return message
      default:
        return message
    }
  }

  /** A result that asks the client to sample with tools is passed on only where all of that is permitted. */
  async #sampled(
    samplings: readonly Message[],
    id: RequestId,
    method: string,
    answer: Message,
    about: About,
  ): Promise<void> {
    for (const [index, params] of samplings.entries()) {
      const callId = `${this.#name}:${keyOf(id)}:sampling:${index}`
      const admission = await this.#serverRequests.sample(params, callId, about)
      const begun = admission.outcome === 'refused' ? admission : admission.begin()
      // The client's answer comes with its next round; how the sampling ended is `unknown` here.
      if (admission.outcome === 'permitted') new Running(admission).lost()
      if (begun.outcome !== 'refused') continue
      const { refusal } = begun
      return this.#terms.toClient(
        method === 'tools/call'
          ? resultFor(id, refusalResult(refusal, admission.receipt, true))
          : errorFor(id, SAMPLING_REFUSED, `holdpoint refused to sample with tools. ${refusal.message}`),
        about,
      )
    }
    return this.#terms.toClient(answer, about)
  }
}

/** A permit that nobody will use goes back. */
async function giveBack(fate: Fate): Promise<void> {
  if (fate.kind === 'permitted') await fate.admission.settle({ status: 'not_executed' })
}
