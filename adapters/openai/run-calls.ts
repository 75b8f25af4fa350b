import { type Gate, type Json, renderAsReason, type ToolDefinition } from '../../src/index.ts'
import { allOf } from '../shared/all-of.ts'
import { handlersOf, nobodys } from '../shared/handlers.ts'
import { answerMcp } from '../shared/held-mcp.ts'
import { type Surroundings, where } from '../shared/surroundings.ts'
import { type HostDeclaration, type HostItem, type HostTool, type HostToolCall, member, resultText } from './host.ts'
import { acceptHosted, type UngatedOption } from './hosted.ts'
import { type Identity, identityAmong, type Spoken } from './identity.ts'
import { inspect } from './inspect.ts'
import { ask, isBlocks } from './passage.ts'
import { around, definitionOf, HOST, type ServerOption } from './surroundings.ts'

/** Your code for one tool. It gets the arguments that were decided; of a custom tool, its text. */
export type Handler = (
  input: never,
  call: { readonly callId: string | undefined; readonly signal: AbortSignal | undefined },
) => unknown

/** By the tool's name. */
export type Handlers = Readonly<Record<string, Handler | undefined>>

/** What a hand-written loop tells beside the calls. */
export interface RunOptions extends ServerOption, UngatedOption {
  /** The tools as the request listed them. The gate holds arguments to their schemas, and knows the more of a call the more they say. */
  readonly tools?: readonly object[]
  /** How many messages or items came before: some providers give the same call id twice in a conversation. */
  readonly step?: number
  readonly signal?: AbortSignal | undefined
}

/** The answer to a call of an assistant message. */
export interface ToolMessage {
  readonly role: 'tool'
  readonly tool_call_id: string
  readonly content: string
}

/** The answers to items of a response. */
export type FunctionOutput =
  | {
      readonly type: 'function_call_output' | 'custom_tool_call_output'
      readonly call_id: string
      /** Text, or the blocks that the handler gave. */
      readonly output: string | { readonly type: 'input_text'; readonly text: string }[]
    }
  | {
      readonly type: 'mcp_approval_response'
      readonly approval_request_id: string
      readonly approve: boolean
      readonly reason?: string
    }

/**
 * Carries out the tool calls of an assistant message, each through the gate: the arguments text is read strictly, a refusal is a
 * message like any other. Calls run side by side; a handler's own error is thrown once all have ended.
 *
 * @param calls `message.tool_calls`
 * @throws HoldpointError ERR_TOOL, ERR_UNGATED; whatever a handler throws
 * @example
 * messages.push(message, ...(await runToolCalls(message.tool_calls, { order, refund }, me, { tools, step: messages.length })))
 */
export async function runToolCalls(
  calls: readonly HostToolCall[] | null | undefined,
  handlers: Handlers,
  gate: Gate,
  options: RunOptions = {},
): Promise<ToolMessage[]> {
  const loop = new Loop(handlers, gate, options)
  const spoken = (calls ?? []).map((call) => spokenIn(call.id, call.function ?? call.custom ?? {}))
  return await allOf(
    (calls ?? []).map(async (call) => {
      const said = call.function ?? call.custom ?? {}
      const content = resultText(
        await loop.run(said, identityAmong(gate, spoken, spokenIn(call.id, said), options.step)),
      )
      return { role: 'tool' as const, tool_call_id: call.id ?? '', content }
    }),
  )
}

/**
 * The same for a response of the Responses API: its function and custom tool calls are carried out, calls that OpenAI holds for an
 * approval are decided, and what it ran by itself is marked as ungated.
 *
 * @param output `response.output`
 * @throws HoldpointError ERR_TOOL, ERR_UNGATED; whatever a handler throws
 * @example
 * input.push(...response.output, ...(await runFunctionCalls(response.output, { order, refund }, me, { tools, step: input.length })))
 */
export async function runFunctionCalls(
  output: readonly object[],
  handlers: Handlers,
  gate: Gate,
  options: RunOptions = {},
): Promise<FunctionOutput[]> {
  const loop = new Loop(handlers, gate, options)
  const items = output as readonly HostItem[]
  await inspect(items, gate)
  const spoken = items.flatMap((item) => (isCall(item) ? [spokenIn(item.call_id, item)] : []))
  const answered = await allOf(items.map(async (item) => await loop.answer(item, spoken)))
  return answered.filter((answer) => answer !== undefined)
}

/** What a call says, in either API. UNTRUSTED. */
interface Said {
  readonly name?: string
  readonly arguments?: string
  readonly input?: unknown
}

function isCall({ type }: HostItem): boolean {
  return type === 'function_call' || type === 'custom_tool_call'
}

function spokenIn(id: string | undefined, { name = '', arguments: text, input }: Said): Spoken {
  return { id, name, text: text ?? JSON.stringify(input) ?? '' }
}

class Loop {
  readonly #around: Surroundings
  readonly #options: RunOptions
  readonly #handlers: ReadonlyMap<string, Handler>
  readonly #definitions: ReadonlyMap<string, ToolDefinition>

  constructor(handlers: Handlers, gate: Gate, options: RunOptions) {
    const { tools = [] } = options
    acceptHosted(
      tools.filter((tool) => member(tool, 'type') !== 'custom'),
      gate,
      options,
    )
    this.#around = around(gate, options)
    this.#options = options
    this.#handlers = handlersOf(handlers)
    this.#definitions = definitionsOf(this.#handlers, tools)
    gate.register([...this.#definitions.values()], where(this.#around))
    const seen = [...this.#definitions.keys()].map((tool) => ({ tool, standing: 'gated' as const }))
    gate.cover(HOST, seen, where(this.#around))
  }

  /** One call. Resolves with what the model is told. */
  async run({ name = '', arguments: text, input }: Said, identity: Identity): Promise<unknown> {
    const { signal } = this.#options
    const { callId } = identity
    const handler = this.#handlers.get(name)
    return await ask(this.#around, {
      tool: name,
      definition: this.#definitions.get(name) ?? nobodys(name),
      said: text === undefined ? { input: { input } } : { inputText: text },
      identity,
      signal,
      execute:
        handler === undefined
          ? undefined
          : (decided) => handler((text === undefined ? customInput(decided) : decided) as never, { callId, signal }),
    })
  }

  async answer(item: HostItem, spoken: readonly Spoken[]): Promise<FunctionOutput | undefined> {
    switch (item.type) {
      case 'function_call':
      case 'custom_tool_call': {
        const one = spokenIn(item.call_id, item)
        const result = await this.run(item, identityAmong(this.#around.gate, spoken, one, this.#options.step))
        const output = isBlocks(result) ? (result as { type: 'input_text'; text: string }[]) : resultText(result)
        return { type: `${item.type}_output`, call_id: item.call_id ?? '', output }
      }
      case 'mcp_approval_request': {
        const { signal } = this.#options
        const answer = await answerMcp(item, this.#around.gate, signal === undefined ? {} : { signal })
        const response = {
          type: item.type.replace('request', 'response') as 'mcp_approval_response',
          approval_request_id: item.id ?? '',
        }
        return answer.approve
          ? { ...response, approve: true }
          : { ...response, approve: false, reason: renderAsReason(answer.refusal) }
      }
      default:
        return undefined
    }
  }
}

function customInput(decided: Json): unknown {
  return member(decided, 'input')
}

/** What the request said of each tool that has a handler. */
function definitionsOf(
  handlers: ReadonlyMap<string, Handler>,
  tools: readonly object[],
): ReadonlyMap<string, ToolDefinition> {
  const declared = new Map(
    tools.map((tool): readonly [unknown, HostDeclaration] => {
      const { type, ...nested } = tool as HostTool
      const said = (nested.function ?? member(tool, 'custom') ?? nested.tool ?? tool) as HostDeclaration
      return [said.name, type === 'custom' ? { name: said.name, description: said.description } : said]
    }),
  )
  return new Map(
    [...handlers].map(([name, handler]) => {
      const said = declared.get(name)
      return [name, said === undefined ? definitionOf({ name }, handler) : definitionOf(said)]
    }),
  )
}
