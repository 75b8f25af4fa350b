import type { Admission, Gate } from '../../src/index.ts'
import { errorFor } from './answers.ts'
import { SAMPLING_REFUSED } from './keys.ts'
import { serverOf } from './listing.ts'
import { keyOf, type Message, type Reading } from './message.ts'
import { Running } from './running.ts'
import { SAMPLING, samplesWithTools } from './sampling.ts'
import type { Upstream } from './upstream.ts'

/** Requests of one server's that may be open at once. */
const MOST_OPEN = 1_000

interface ServerRequestTerms<About> {
  readonly upstream: Upstream
  readonly gateFor: (about: About) => Gate
  readonly toServer: (message: Message, about: About) => void | Promise<void>
  readonly toClient: (message: Message, about: About) => void | Promise<void>
  readonly note: (text: string) => void
}

type Asked = Extract<Reading, { readonly kind: 'request' }>
type Answer = Extract<Reading, { readonly kind: 'response' }>

/**
 * What a server asks of the client, until the client has answered. All of it passes, except that a sampling request with tools
 * is a call, decided first: by it the server would have the client's model call tools.
 */
export class ServerRequests<About> {
  readonly #terms: ServerRequestTerms<About>
  readonly #connection: string
  /** By id; with the call that is under way, where it is one. */
  readonly #open = new Map<string, Running | undefined>()
  readonly #abort = new AbortController()

  constructor(terms: ServerRequestTerms<About>, connection: string) {
    this.#terms = terms
    this.#connection = connection
  }

  asked(asked: Asked, about: About): void | Promise<void> {
    const { id, method, params, message } = asked
    const key = keyOf(id)
    if (this.#open.has(key) || this.#open.size >= MOST_OPEN) {
      const { label } = this.#terms.upstream.listing
      return this.#terms.note(`from ${label}: a request under the id of another, or one too many; not passed on`)
    }
    this.#open.set(key, undefined)
    if (samplesWithTools(method, params)) return this.#askedToSample(asked, about)
    return this.#terms.toClient(message, about)
  }

  /** The client's answer goes to the server that asked; what answers nothing goes nowhere. */
  answered({ id, message }: Answer, about: About): void | Promise<void> {
    const key = keyOf(id)
    if (!this.#open.has(key)) return this.#terms.note('from the client: an answer to no request; not passed on')
    this.#open.get(key)?.answered(message)
    this.#open.delete(key)
    return this.#terms.toServer(message, about)
  }

  /** May the server sample with tools, as this request of its says? */
  async sample(params: Message, callId: string, about: About): Promise<Admission> {
    const gate = this.#terms.gateFor(about)
    const server = serverOf(this.#terms.upstream.listing)
    gate.register([SAMPLING], server)
    const { _meta: _, ...input } = params
    const call = { tool: SAMPLING.name, ...server, input, callId, definition: SAMPLING }
    return await gate.admit(call, { signal: this.#abort.signal })
  }

  close(): void {
    this.#abort.abort()
    for (const running of this.#open.values()) running?.lost()
    this.#open.clear()
  }

  async #askedToSample({ id, params, message }: Asked, about: About): Promise<void> {
    const key = keyOf(id)
    const because = await this.#begin(key, params, about).catch(() => 'The gate failed.')
    if (because === undefined) return this.#terms.toClient(message, about)
    this.#open.delete(key)
    const said = `holdpoint refused to sample with tools. ${because}`
    return this.#terms.toServer(errorFor(id, SAMPLING_REFUSED, said), about)
  }

  /** @returns why the client is not asked */
  async #begin(key: string, params: Message, about: About): Promise<string | undefined> {
    const admission = await this.sample(params, `${this.#connection}:sampling:${key}`, about)
    if (admission.outcome === 'refused') return admission.refusal.message
    const begun = admission.begin()
    if (begun.outcome === 'refused') return begun.refusal.message
    this.#open.set(key, new Running(admission))
    return undefined
  }
}
