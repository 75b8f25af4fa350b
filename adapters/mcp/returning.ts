import { errorFor, failedResult, refusalResult, resultFor, unforged } from './answers.ts'
import { reasonOf } from './attempt.ts'
import { isModern } from './era.ts'
import { INTERNAL_ERROR, SAMPLING_REFUSED } from './keys.ts'
import { isObject, type Message, type RequestId } from './message.ts'
import { type Sent, settled } from './open.ts'
import { randomId } from './random.ts'
import { type SamplingGate, type SamplingRefusal, samplingIn } from './sampling.ts'
import type { Upstream } from './upstream.ts'

interface ReturningTerms<About> {
  readonly upstream: Upstream
  readonly sampling: SamplingGate<About>
  readonly toClient: (message: Message, about: About) => void | Promise<void>
  /** Has the server's tools listed anew, for a request like this one. */
  readonly list: (like: Message, about: About) => Promise<void>
  readonly note: (text: string) => void
  /** Ends with the connection. */
  readonly signal: AbortSignal
}

type Answer = { readonly id: RequestId; readonly message: Message }

/**
 * What a server says to the client, on its way there: an answer that is put on record, with what the gate has to say of it and
 * without what only the gate may say. What the client may not do or see on account of it does not reach the client.
 */
export class Returning<About> {
  readonly #terms: ReturningTerms<About>

  constructor(terms: ReturningTerms<About>) {
    this.#terms = terms
  }

  /** An answer to this request. */
  answered(sent: Sent, { id, message }: Answer, about: About): void | Promise<void> {
    const { result } = message
    if (!isObject(result)) return this.#pass(sent, { id, message }, about)
    const said = unforged(result)
    const answer = { id, message: said === result ? message : { ...message, result: said } }
    const samplings = samplingIn(said)
    const isPartial = sent.method === 'tools/list' && this.#terms.upstream.listing.wantsWhole(sent.params, said)
    if (samplings.length === 0 && !isPartial) return this.#pass(sent, answer, about)
    return this.#passLater(sent, answer, { samplings, isPartial }, about)
  }

  /** A notification: a task that goes on may ask for what a result may ask for. */
  told(message: Message, params: Message, about: About): void | Promise<void> {
    const said = unforged(params)
    const samplings = samplingIn(said)
    const passed = said === params ? message : { ...message, params: said }
    return samplings.length === 0 ? this.#terms.toClient(passed, about) : this.#tellLater(passed, samplings, about)
  }

  #pass(sent: Sent, { id, message }: Answer, about: About): void | Promise<void> {
    const passed = settled(sent, message, this.#terms.upstream)
    return this.#terms.toClient(passed ?? this.#unreadable(id), about)
  }

  async #passLater(
    sent: Sent,
    { id, message }: Answer,
    { samplings, isPartial }: { readonly samplings: readonly Message[]; readonly isPartial: boolean },
    about: About,
  ): Promise<void> {
    if (isPartial) await this.#terms.list(sent.params, about)
    // How a call ended goes on record, whether its result may pass or not.
    const passed = settled(sent, message, this.#terms.upstream) ?? this.#unreadable(id)
    const refusal = await this.#refuse(samplings, about)
    return this.#terms.toClient(refusal === undefined ? passed : instead(sent, id, refusal), about)
  }

  async #tellLater(message: Message, samplings: readonly Message[], about: About): Promise<void> {
    const refusal = await this.#refuse(samplings, about)
    if (refusal === undefined) return this.#terms.toClient(message, about)
    this.#terms.note(`from ${this.#label}: a notification that would sample with tools; not passed on`)
  }

  async #refuse(samplings: readonly Message[], about: About): Promise<SamplingRefusal | undefined> {
    if (samplings.length === 0) return undefined
    const { sampling, signal, note } = this.#terms
    return await sampling.refuse(samplings, randomId(), about, signal).catch((cause: unknown) => {
      note(`a request of ${this.#label} to sample with tools failed in the gate: ${reasonOf(cause)}`)
      return { because: 'The gate failed.' }
    })
  }

  #unreadable(id: RequestId): Message {
    const because = 'its list of tools can be read in two ways, or not at all'
    this.#terms.note(`from ${this.#label}: ${because}; not passed on`)
    return errorFor(id, INTERNAL_ERROR, `holdpoint: the server answered, but ${because}`)
  }

  get #label(): string {
    return this.#terms.upstream.listing.label
  }
}

/** What the client gets of a result that it may not have. */
function instead({ method, params }: Sent, id: RequestId, { because, decided }: SamplingRefusal): Message {
  const said = `holdpoint refused to sample with tools. ${because}`
  if (method !== 'tools/call') return errorFor(id, SAMPLING_REFUSED, said)
  if (decided === undefined) return resultFor(id, failedResult(said, isModern(params)))
  return resultFor(id, refusalResult(decided.refusal, decided.receipt, isModern(params)))
}
