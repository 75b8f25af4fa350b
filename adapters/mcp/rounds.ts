import { APPROVAL_KEY } from './keys.ts'
import { isObject, type Message, objectIn } from './message.ts'
import { randomId } from './random.ts'

/** Questions that may be open at once, and how long each is, ms. One that is given up is asked anew. */
const MOST_OPEN = 10_000
const OPEN_MS = 15 * 60_000
/** What servers and clients have to say to each other meanwhile, in characters of JSON, all questions together. */
const MOST_KEPT = 16 * 1_048_576

/** How a state of ours looks: one that is used, lapsed or made up goes to no server. */
const OURS = /^holdpoint-[0-9a-f-]{36}$/

/** What the client said to the server in this round, without what it said to us. */
export interface Round {
  /** The call as the server gets it. */
  readonly params: Message
  /** The question that was answered, and the answer; none where this round answers no question of ours. */
  readonly reply?: { readonly ref: string; readonly answer: unknown }
}

interface Open {
  readonly ref: string
  readonly untilAt: number
  /** What the server had asked for in the round that our question stands in for. */
  readonly theirs: Message
  readonly weight: number
}

/**
 * Questions between two rounds of one call (MCP 2026-07-28, multi-round-trip requests): the call is answered with what is
 * asked for, and comes again with the answers.
 *
 * `requestState` is ours to choose, and the client's to change: it is a name that nobody can guess of what is kept here, used
 * once. A server that has rounds of its own finds its state and its answers as it left them.
 */
export class Rounds {
  readonly #open = new Map<string, Open>()
  #kept = 0

  /** Answers a call with a question about it. */
  ask(ref: string, question: Message, params: Message): Message {
    const state = `holdpoint-${randomId()}`
    const { requestState, inputResponses } = params
    const theirs = {
      ...(requestState === undefined ? {} : { requestState }),
      ...(inputResponses === undefined ? {} : { inputResponses }),
    }
    this.#keep(state, { ref, theirs, untilAt: performance.now() + OPEN_MS, weight: JSON.stringify(theirs).length })
    const asked = { method: 'elicitation/create', params: { mode: 'form', ...question } }
    return { resultType: 'input_required', inputRequests: { [APPROVAL_KEY]: asked }, requestState: state }
  }

  /** Takes what is ours out of a call that comes again. */
  read(params: Message): Round {
    const { requestState, inputResponses, ...rest } = params
    const open = typeof requestState === 'string' ? this.#take(requestState) : undefined
    if (open === undefined) return { params: withoutOurs(params) }
    if (performance.now() > open.untilAt) return { params: { ...rest, ...open.theirs } }
    const answer = objectIn(params, 'inputResponses')[APPROVAL_KEY]
    return { params: { ...rest, ...open.theirs }, reply: { ref: open.ref, answer } }
  }

  #keep(state: string, open: Open): void {
    this.#open.set(state, open)
    this.#kept += open.weight
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= MOST_OPEN && this.#kept <= MOST_KEPT) break
      this.#take(oldest)
    }
  }

  #take(state: string): Open | undefined {
    const open = this.#open.get(state)
    this.#open.delete(state)
    this.#kept -= open?.weight ?? 0
    return open
  }
}

/** An answer to a question that nobody asked is not passed on either. */
function withoutOurs({ requestState, inputResponses, ...rest }: Message): Message {
  const { [APPROVAL_KEY]: _, ...theirs } = isObject(inputResponses) ? inputResponses : {}
  const isOurs = typeof requestState === 'string' && OURS.test(requestState)
  return {
    ...rest,
    ...(isOurs || requestState === undefined ? {} : { requestState }),
    ...(inputResponses === undefined ? {} : { inputResponses: isObject(inputResponses) ? theirs : inputResponses }),
  }
}
