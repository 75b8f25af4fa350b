import { errorFor } from './answers.ts'
import { SAMPLING_REFUSED } from './keys.ts'
import { isObject, isRequestId, keyOf, type Message, type Reading } from './message.ts'
import { Running } from './running.ts'
import { type SamplingGate, samplesWithTools } from './sampling.ts'
import type { Upstream } from './upstream.ts'

/** Requests of one server's that may be open at once: of more, the oldest are given up. */
const MOST_OPEN = 1_000

interface ServerRequestTerms<About> {
  readonly upstream: Upstream
  readonly sampling: SamplingGate<About>
  readonly toServer: (message: Message, about: About) => void | Promise<void>
  readonly toClient: (message: Message, about: About) => void | Promise<void>
  readonly note: (text: string) => void
}

type Asked = Extract<Reading, { readonly kind: 'request' }>
type Answer = Extract<Reading, { readonly kind: 'response' }>

/** A request of the server's that has no answer yet. */
type Open =
  /** The client has it; with the call that is under way, where it is one. */
  | { readonly stage: 'sent'; readonly running?: Running }
  /** It is being decided; the client has not heard of it. */
  | { readonly stage: 'held'; readonly abort: AbortController }

/**
 * What a server asks of the client, until the client has answered. All of it passes, except that a sampling request with tools
 * is a call, decided first: by it the server would have the client's model call tools.
 */
export class ServerRequests<About> {
  readonly #terms: ServerRequestTerms<About>
  readonly #connection: string
  readonly #open = new Map<string, Open>()

  constructor(terms: ServerRequestTerms<About>, connection: string) {
    this.#terms = terms
    this.#connection = connection
  }

  asked(asked: Asked, about: About): void | Promise<void> {
    const { id, method, params, message } = asked
    const key = keyOf(id)
    if (this.#open.has(key)) {
      const { label } = this.#terms.upstream.listing
      return this.#terms.note(`from ${label}: a request under the id of one that is still open; not passed on`)
    }
    if (samplesWithTools(method, params)) return this.#askedToSample(asked, about)
    this.#keep(key, { stage: 'sent' })
    return this.#terms.toClient(message, about)
  }

  /** The client's answer goes to the server that asked; what answers nothing goes nowhere. */
  answered({ id, message }: Answer, about: About): void | Promise<void> {
    const key = keyOf(id)
    const open = this.#open.get(key)
    if (open?.stage !== 'sent') return this.#terms.note('from the client: an answer to no request; not passed on')
    open.running?.answered(message)
    this.#open.delete(key)
    return this.#terms.toServer(message, about)
  }

  /** The server no longer waits. False where the client has not heard of the request, and never will. */
  cancel(id: unknown): boolean {
    const key = isRequestId(id) ? keyOf(id) : ''
    const open = this.#open.get(key)
    this.#open.delete(key)
    if (open?.stage === 'held') open.abort.abort()
    else open?.running?.cancelled()
    return open?.stage !== 'held'
  }

  close(): void {
    for (const open of this.#open.values()) giveUp(open)
    this.#open.clear()
  }

  async #askedToSample(asked: Asked, about: About): Promise<void> {
    const { id, message } = asked
    const key = keyOf(id)
    const abort = new AbortController()
    this.#keep(key, { stage: 'held', abort })
    const verdict = await this.#decide(asked, about, abort.signal).catch(() => 'The gate failed.')
    if (abort.signal.aborted) return
    if (typeof verdict !== 'string') return this.#terms.toClient({ ...message, params: verdict }, about)
    this.#open.delete(key)
    const said = `holdpoint refused to sample with tools. ${verdict}`
    return this.#terms.toServer(errorFor(id, SAMPLING_REFUSED, said), about)
  }

  /** @returns what the client is asked with, as it was decided (I3), or why it is not asked */
  async #decide({ id, params }: Asked, about: About, signal: AbortSignal): Promise<Message | string> {
    const key = keyOf(id)
    const callId = `${this.#connection}:sampling:${key}`
    const admission = await this.#terms.sampling.admit(params, callId, about, signal)
    if (!('outcome' in admission)) return admission.because
    // A permit that nobody waits for any longer goes back.
    if (signal.aborted) await admission.settle({ status: 'not_executed' })
    const begun = admission.begin()
    if (begun.outcome === 'refused') return begun.refusal.message
    this.#open.set(key, { stage: 'sent', running: new Running(admission) })
    const { _meta } = params
    return { ...(_meta === undefined ? {} : { _meta }), ...(isObject(begun.input) ? begun.input : {}) }
  }

  #keep(key: string, open: Open): void {
    this.#open.set(key, open)
    for (const [oldest, given] of this.#open) {
      if (this.#open.size <= MOST_OPEN) break
      this.#open.delete(oldest)
      giveUp(given)
    }
  }
}

function giveUp(open: Open): void {
  if (open.stage === 'held') open.abort.abort()
  else open.running?.lost()
}
