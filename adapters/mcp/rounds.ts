import { APPROVAL_KEY } from './keys.ts'
import { isObject, type Message, objectIn } from './message.ts'
import { randomId } from './random.ts'

/** Questions that may be open at once, and how long each is, ms. One that is given up is asked anew. */
const MOST_OPEN = 10_000
const OPEN_MS = 15 * 60_000
/** What the calls that wait hold beside their arguments, in characters of JSON, all questions together. */
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
  /** What the call held beside its name, its arguments and its metadata when a person was asked about it. */
  readonly asked: Message
  readonly weight: number
}

/**
 * Questions between two rounds of one call (MCP 2026-07-28, multi-round-trip requests): the call is answered with what is
 * asked for, and comes again with the answers.
 *
 * `requestState` is ours to choose, and the client's to change: it is a name that nobody can guess of what is kept here, used
 * once. A server that has rounds of its own finds its state and its answers as it left them.
 *
 * INVARIANT I3: of the round that brings a yes nothing else is new. The name and the arguments are held against the question by
 * whoever decides; its metadata belongs to the new request; all the rest is as it was when the person was asked.
 */
export class Rounds {
  readonly #open = new Map<string, Open>()
  #kept = 0

  /** Answers a call with a question about it. */
  ask(ref: string, question: Message, params: Message): Message {
    const state = `holdpoint-${randomId()}`
    const { name: _, arguments: __, _meta: ___, ...asked } = params
    this.#keep(state, { ref, asked, untilAt: performance.now() + OPEN_MS, weight: JSON.stringify(asked).length })
    const ours = { method: 'elicitation/create', params: { mode: 'form', ...question } }
    return { resultType: 'input_required', inputRequests: { [APPROVAL_KEY]: ours }, requestState: state }
  }

  /** Takes what is ours out of a call that comes again. */
  read(params: Message): Round {
    const { requestState } = params
    const open = typeof requestState === 'string' ? this.#take(requestState) : undefined
    if (open === undefined) return { params: withoutOurs(params) }
    const again = { ...open.asked, ...newIn(params) }
    if (performance.now() > open.untilAt) return { params: again }
    const answer = objectIn(params, 'inputResponses')[APPROVAL_KEY]
    return { params: again, reply: { ref: open.ref, answer } }
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

/** What a call that comes again says anew. */
function newIn({ name, arguments: input, _meta }: Message): Message {
  return { name, ...(input === undefined ? {} : { arguments: input }), ...(_meta === undefined ? {} : { _meta }) }
}

/** An answer to a question that nobody asked is not passed on either. */
function withoutOurs({ requestState, inputResponses, ...rest }: Message): Message {
  const isOurs = typeof requestState === 'string' && OURS.test(requestState)
  const answers = theirsOf(inputResponses)
  return {
    ...rest,
    ...(isOurs || requestState === undefined ? {} : { requestState }),
    ...(answers === undefined ? {} : { inputResponses: answers }),
  }
}

/** Where ours was the only answer, there are none. */
function theirsOf(answers: unknown): unknown {
  if (!isObject(answers) || !Object.hasOwn(answers, APPROVAL_KEY)) return answers
  const { [APPROVAL_KEY]: _, ...theirs } = answers
  return Object.keys(theirs).length === 0 ? undefined : theirs
}
