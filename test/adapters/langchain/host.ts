import { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { AIMessage, type BaseMessage, ToolMessage } from '@langchain/core/messages'
import type { ChatResult } from '@langchain/core/outputs'
import { tool } from '@langchain/core/tools'
import type { ScriptedCall, ScriptedTool } from '../../support/adapter-conformance.ts'

/** A chat model that says what it was told to: a step for each of its answers so far, then `done`. */
export class ScriptedModel extends BaseChatModel {
  readonly prompts: BaseMessage[][] = []
  readonly #steps: readonly (readonly ScriptedCall[])[]

  constructor(steps: readonly (readonly ScriptedCall[])[]) {
    super({})
    this.#steps = steps
  }

  override _llmType(): string {
    return 'scripted'
  }

  override bindTools(): this {
    return this
  }

  override async _generate(messages: BaseMessage[]): Promise<ChatResult> {
    this.prompts.push(messages)
    const step = this.#steps[messages.filter(AIMessage.isInstance).length]
    return { generations: [{ text: '', message: step === undefined ? new AIMessage('done') : answerOf(step) }] }
  }
}

function answerOf(step: readonly ScriptedCall[]): AIMessage {
  const [provided, asked] = [
    step.filter((call) => call.providerResult !== undefined),
    step.filter((call) => call.providerResult === undefined),
  ]
  return new AIMessage({
    content: provided.flatMap(({ id, tool: name, input, providerResult }) => [
      { type: 'server_tool_call', id, name, args: input },
      { type: 'server_tool_call_result', toolCallId: id, status: 'success', output: providerResult },
    ]) as never,
    tool_calls: asked.map((call) => ({
      type: 'tool_call',
      name: call.tool,
      args: call.input as Record<string, unknown>,
      id: call.id,
    })),
  })
}

/** What a provider's package sends of messages: neither artifacts nor additional members. */
export function sent(messages: readonly BaseMessage[]): readonly object[] {
  return messages.map((message) => ({
    role: message.type,
    content: message.content,
    ...(AIMessage.isInstance(message) ? { tool_calls: message.tool_calls } : {}),
    ...(ToolMessage.isInstance(message) ? { tool_call_id: message.tool_call_id, status: message.status } : {}),
  }))
}

/** A scripted tool as LangChain has it. */
export function hostTool(name: string, scripted: ScriptedTool): object {
  const { input: schema, run, stream, toModel, elsewhere } = scripted
  if (elsewhere !== undefined) return { type: 'acme_search_20260101', name }
  const fields = { name, description: name, schema: schema as never }
  if (stream !== undefined) {
    return tool(
      async function* (input: never) {
        let last: unknown
        for await (const part of stream(input)) {
          last = part
          yield part
        }
        return last
      } as never,
      fields,
    )
  }
  const result = async (input: never, config: { readonly signal?: AbortSignal }) =>
    await run?.(input, { signal: config.signal })
  if (toModel === undefined) return tool(result as never, fields)
  return tool(
    (async (input: never, config: object) => {
      const output = (await result(input, config)) as never
      return [toModel(output), output]
    }) as never,
    { ...fields, responseFormat: 'content_and_artifact' },
  )
}
