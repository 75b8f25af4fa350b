import type {
  Admission,
  Call,
  Gate,
  PermittedAdmission,
  Receipt,
  Refusal,
  RefusedAdmission,
  ToolDefinition,
} from '../../src/index.ts'
import { wantsYes } from '../shared/hearing.ts'
import { warnOfLostAnswer } from '../shared/lost-answer.ts'
import { namedRequest } from '../shared/named-request.ts'
import { refusalResult } from './answers.ts'
import { declaredIn, isModern, showsForms, takesTasks } from './era.ts'
import { serverOf } from './listing.ts'
import { isObject, type Message } from './message.ts'
import { questionFor, type Reply, replyIn } from './question.ts'
import type { Upstream } from './upstream.ts'

/** How often a call is decided anew because its tool has become another meanwhile. */
const MOST_CHANGES = 3

/** What a call needs of the connection that it came on. */
export interface PassageTerms {
  readonly upstream: Upstream
  readonly gate: Gate
  readonly signal: AbortSignal
  /** Unlike that of any other call, whatever ids clients use. */
  readonly callId: string
  /** What the client declared when it connected; a modern one declares it anew in each request. */
  readonly capabilities: Message
  /** Has the server's tools listed anew. */
  readonly list: () => Promise<void>
  /** Shows a form to the person at the client, and waits. */
  readonly elicit: (question: Message) => Promise<Reply>
  readonly refused: (admission: RefusedAdmission) => void
  /** The error that the call is answered with where something beside it contradicts it, as this tool has it. */
  readonly contradiction: (definition: ToolDefinition) => Message | undefined
  readonly onSilence: 'refuse' | 'hold'
  readonly holdMs: number | undefined
}

/** A call that may run, and has not begun: whoever gets this begins it and sends it on one turn. */
export interface Permitted {
  readonly kind: 'permitted'
  readonly admission: PermittedAdmission
  /** The call as the server gets it, without what the client said to us between two rounds. */
  readonly params: Message
  /** The answer where the permit lapses before the server can be given the call. */
  readonly lapsed: (refusal: Refusal) => Message
}

/** What becomes of a call. */
export type Fate =
  | Permitted
  | { readonly kind: 'answered'; readonly result: Message }
  /** It was not decided: nothing runs, and this is the error that it is answered with. */
  | { readonly kind: 'failed'; readonly error: Message }

/** What came beside a call says otherwise than the call: nobody is asked which of the two is meant. */
export class Contradicted extends Error {
  override readonly name = 'Contradicted'
  readonly error: Message

  constructor(error: Message) {
    super('the call is contradicted by what came beside it')
    this.error = error
  }
}

/** One `tools/call` on its way through the gate, in either era. */
export class Passage {
  readonly #terms: PassageTerms
  readonly #params: Message
  readonly #isModern: boolean
  readonly #showsForms: boolean
  /** In this round the client brought the answer to a question of ours. */
  readonly #reply: { readonly ref: string; readonly answer: unknown } | undefined

  constructor(params: Message, terms: PassageTerms) {
    const { upstream, capabilities } = terms
    const round = upstream.rounds.read(params)
    this.#params = round.params
    this.#reply = round.reply
    this.#terms = terms
    this.#isModern = isModern(params)
    this.#showsForms = showsForms(this.#isModern ? declaredIn(params) : capabilities)
  }

  /** Decides. Asks a person where the policies want one and the client can show a form; else whoever watches is asked. */
  async decide(name: string, input: Message): Promise<Fate> {
    const { upstream, elicit } = this.#terms
    if (this.#reply !== undefined) {
      await this.#hear(await this.#callOf(name, input), this.#reply)
      return this.#fateOf(await this.#admit(name, input, { wait: false }))
    }
    const admission = await this.#admit(name, input, { wait: !this.#showsForms })
    if (admission.outcome === 'permitted' || !this.#showsForms) return this.#fateOf(admission)
    const { request } = admission
    if (request === undefined || !wantsYes(admission.refusal)) return this.#fateOf(admission)
    const question = questionFor(request)
    // What no form can show may still be shown by whoever watches.
    if (question === undefined) return this.#fateOf(await this.#admit(name, input, { wait: true }))
    if (this.#isModern) return { kind: 'answered', result: upstream.rounds.ask(request.ref, question, this.#params) }
    const reply = await elicit(question)
    if (reply === 'unanswered') return this.#fateOf(admission)
    await this.#answer(request.ref, reply)
    return this.#fateOf(await this.#admit(name, input, { wait: false }))
  }

  /** The answer is to the question about this very call, or to none: other arguments have another request. */
  async #hear(call: Call, { ref, answer }: { readonly ref: string; readonly answer: unknown }): Promise<void> {
    const reply = replyIn(answer)
    if (reply === 'unanswered') return
    const { gate } = this.#terms
    const request = await namedRequest(gate, call, ref).catch(() => warnOfLostAnswer(gate, ref))
    if (request !== undefined) await this.#answer(ref, reply)
  }

  /** A store that takes no answer takes no call either, and says so to whoever makes it; the programmer hears of it. */
  async #answer(ref: string, reply: 'approved' | 'declined'): Promise<void> {
    const { gate } = this.#terms
    await gate.answer(ref, reply, { channel: 'elicitation' }).catch(() => warnOfLostAnswer(gate, ref))
  }

  /**
   * The call of the tool as its server lists it now.
   *
   * @throws Contradicted INVARIANT I3: what goes to the server beside the call says what is decided, or nothing is
   */
  async #callOf(name: string, input: Message): Promise<Call> {
    const { callId, list, upstream, contradiction } = this.#terms
    const { listing } = upstream
    if (!listing.isFresh) await list()
    const definition = listing.find(name)
    const error = contradiction(definition)
    if (error !== undefined) throw new Contradicted(error)
    return {
      tool: name,
      ...serverOf(listing),
      input,
      ...besideIn(this.#params),
      callId,
      definition,
    }
  }

  async #admit(name: string, input: Message, terms: { readonly wait: boolean }): Promise<Admission> {
    const { gate, signal, onSilence, holdMs } = this.#terms
    // Of what comes as a task, parts are told in several ways: what must not be seen of its result could not be kept back.
    const obliging = mayBeTask(this.#params) ? 'arguments' : 'all'
    const options = { signal, onSilence, obliging, ...terms, ...(holdMs === undefined ? {} : { holdMs }) } as const
    for (let changes = 0; changes < MOST_CHANGES; changes += 1) {
      const call = await this.#callOf(name, input)
      const admission = await gate.admit(call, options)
      if (admission.outcome === 'refused' || !(await this.#hasChanged(call))) return admission
      await admission.settle({ status: 'not_executed' })
    }
    throw new Error(`its tool changed ${MOST_CHANGES} times while it was decided`)
  }

  /** INVARIANT I4: while a person thought, or a policy point was away, a stranger may have put another tool under the name. */
  async #hasChanged({ tool, server, definition }: Call): Promise<boolean> {
    const { gate, list, upstream } = this.#terms
    const { listing } = upstream
    if (server === undefined || !listing.isGuarded) return false
    if (listing.isFresh && listing.find(tool) === definition) return false
    if (!listing.isFresh) await list()
    return gate.quarantined(server).has(tool) || !listing.lists(tool)
  }

  #fateOf(admission: Admission): Fate {
    const { receipt } = admission
    if (admission.outcome === 'permitted') {
      const lapsed = (refusal: Refusal) => this.#refused(refusal, receipt)
      return { kind: 'permitted', admission, params: this.#params, lapsed }
    }
    this.#terms.refused(admission)
    return { kind: 'answered', result: this.#refused(admission.refusal, receipt) }
  }

  /** A refused call that was asked for as a task is a task that is done. */
  #refused(refusal: Refusal, receipt: Receipt | undefined): Message {
    const result = refusalResult(refusal, receipt, this.#isModern)
    const isTask = !this.#isModern && isObject(this.#params['task'])
    return isTask ? this.#terms.upstream.tasks.refuse(result, this.#params) : result
  }
}

/**
 * INVARIANT I3: whatever else goes to the server is decided with the arguments: answers to its questions, its state, parameters that
 * nobody here knows. Not the metadata, which differs from request to request, nor how long a task is kept.
 */
function besideIn({ name: _, arguments: __, _meta: ___, task: ____, ...beside }: Message): {
  readonly beside?: Message
} {
  return Object.keys(beside).length === 0 ? {} : { beside }
}

/** May the server answer this call with a task, and its result later? */
function mayBeTask(params: Message): boolean {
  return takesTasks(params) || params['task'] !== undefined
}
