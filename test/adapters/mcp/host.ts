/** A host of MCP as apps write it: a model that names tools, a client that calls them, a person who is shown forms. */
import { RECEIPT_KEY, REFUSAL_KEY } from '../../../adapters/mcp/index.ts'
import type {
  Answer,
  ModelSaw,
  ScriptedCall,
  StoredMessages,
  Turn,
  TurnResult,
} from '../../support/adapter-conformance.ts'
import { CALL_ID, type Frame, type HostWire } from './host-wire.ts'
import type { FormAnswer, HostClient, Result, Sdk } from './sdk.ts'

/** Sits at the client: is shown the first form, and answers it when told to. What else they are shown they close. */
export class Person {
  readonly asked = Promise.withResolvers<void>()
  readonly #answer = Promise.withResolvers<FormAnswer>()
  #questions = 0

  async ask(): Promise<FormAnswer> {
    this.#questions += 1
    if (this.#questions > 1) return { action: 'cancel' }
    this.asked.resolve()
    return await this.#answer.promise
  }

  answer({ approved }: Answer): void {
    this.#answer.resolve(approved ? YES : { action: 'decline' })
  }
}

const YES = { action: 'accept', content: { approve: true } } as const

/** What one conversation works with. */
interface Terms {
  readonly sdk: Sdk
  readonly client: HostClient
  readonly person: Person
  readonly turn: Turn
  /** Everything that was admitted has its outcome on record. */
  readonly recorded: () => Promise<void>
  /** Is a request with the id of another the same request, there? */
  readonly knowsIds: boolean
}

/** One conversation. The model of it says what it was scripted to say, and reads what a host shows a model. */
export class Conversation {
  readonly #terms: Terms
  readonly #results = new Map<string, Result>()
  readonly #prompt: object[] = [{ role: 'user', content: 'go' }]

  constructor(terms: Terms) {
    this.#terms = terms
  }

  async play(): Promise<TurnResult> {
    const running = this.#run()
    running.catch(() => undefined)
    const first = await Promise.race([running, this.#terms.person.asked.promise])
    if (first !== undefined) return first
    let isAnswered = false
    const resume = async (answer: Answer): Promise<TurnResult> => {
      if (isAnswered) return await this.#again()
      isAnswered = true
      if (answer.edit !== undefined) await this.#meddle(answer.edit)
      this.#terms.person.answer(answer)
      return await running
    }
    const callIds = this.#terms.turn.steps.flat().map(({ id }) => id)
    return { ...this.#told([], ''), paused: { callIds, resume } }
  }

  async #run(): Promise<TurnResult> {
    const { client, turn } = this.#terms
    this.#prompt.push({ tools: await client.list() })
    const saw: ModelSaw[] = []
    for (const step of turn.steps) {
      this.#prompt.push({ role: 'assistant', calls: step })
      const answers = await Promise.all(step.map((call) => this.#call(call)))
      this.#prompt.push({ role: 'tool', answers })
      saw.push(...answers)
    }
    // Whatever became of the calls, the session is still there.
    await client.list()
    await this.#terms.recorded()
    return this.#told(saw, 'done')
  }

  async #call({ tool, input, id }: ScriptedCall): Promise<ModelSaw> {
    const { client, turn } = this.#terms
    const { signal } = turn
    try {
      const result = await client.call(tool, input, { [CALL_ID]: id }, signal)
      this.#results.set(id, result)
      return { callId: id, text: shownToModel(result) }
    } catch (error) {
      if (signal?.aborted === true) throw error
      return { callId: id, text: error instanceof Error ? error.message : String(error) }
    }
  }

  #told(saw: readonly ModelSaw[], said: string): TurnResult {
    const previews = (this.#wire?.previews ?? []).map((shown) => ({ ...shown, preview: true }))
    return {
      saw,
      prompts: JSON.stringify(this.#prompt),
      said,
      shown: [...previews, ...saw.map(({ callId, text }) => ({ callId, value: text, preview: false }))],
      stored: this.#stored(),
    }
  }

  /** The same messages once more, word for word: the calls, and the person's answers with them. */
  async #again(): Promise<TurnResult> {
    const wire = this.#wire
    const saw: ModelSaw[] = []
    for (const { id } of this.#terms.turn.steps.flat()) {
      for (const answer of (await wire?.again(id)) ?? []) saw.push({ callId: id, text: textOf(answer) })
    }
    for (const reply of [...(wire?.replies ?? [])]) await wire?.sendAsItIs(reply)
    await this.#terms.recorded()
    return this.#told(saw, 'done')
  }

  /**
   * The client would have something else done for the yes that it is about to get. Since 2026-07-28 it changes the round that brings
   * the answer; before, it takes the call back, sends another one under its id, and answers the question about the first.
   */
  async #meddle(edit: (input: unknown) => unknown): Promise<void> {
    const wire = this.#wire
    if (wire === undefined) return
    const edited = (call: Frame): Frame => ({
      ...call,
      params: { ...call.params, arguments: edit(call.params?.['arguments']) },
    })
    wire.meddle = edited
    const [question] = wire.questions
    if (question === undefined) return
    for (const [call] of wire.calls.values()) {
      if (call === undefined) continue
      await wire.sendAsItIs({ method: 'notifications/cancelled', params: { requestId: call.id } })
      await wire.sendAsItIs(edited(call))
    }
    await wire.sendAsItIs({ id: question, result: { ...YES } })
  }

  /** The results as an app would store them, receipts beside them. A call that is sent again is refused. */
  #stored(): StoredMessages {
    const { sdk, turn, knowsIds } = this.#terms
    const results = new Map(structuredClone([...this.#results]))
    const prompt = JSON.stringify(this.#prompt)
    return {
      validate: async () => {
        for (const [callId, result] of results) {
          sdk.validate(result)
          if (turn.bare === true) continue
          if (receiptIn(result)?.kind !== 'decision') throw new Error(`${callId} has no receipt beside its result`)
          if (!knowsIds) continue
          for (const again of (await this.#wire?.again(callId)) ?? [])
            if (!isRefusal(again.result)) throw new Error(`${callId} was sent again, and not refused`)
        }
      },
      nextPrompt: async () => prompt,
      stateOf: (callId) => {
        const result = results.get(callId)
        if (result === undefined) return undefined
        return isRefusal(result) ? 'output-denied' : result['isError'] === true ? 'output-error' : 'output-available'
      },
    }
  }

  get #wire(): HostWire | undefined {
    return this.#terms.client.wire
  }
}

function metaOf(result: Result = {}): Readonly<Record<string, unknown>> {
  return (result['_meta'] ?? {}) as Readonly<Record<string, unknown>>
}

function isRefusal(result: Result | undefined): boolean {
  return metaOf(result)[REFUSAL_KEY] !== undefined
}

function receiptIn(result: Result): { readonly kind?: unknown } | undefined {
  return metaOf(result)[RECEIPT_KEY] as { readonly kind?: unknown } | undefined
}

/** A host shows its model all of a result but `_meta`, which is for programs (MCP, basic, "_meta"). */
function shownToModel({ _meta: _, ...shown }: Result): string {
  return JSON.stringify(shown)
}

function textOf({ result, error }: Frame): string {
  return result === undefined ? (error?.message ?? '') : shownToModel(result)
}
