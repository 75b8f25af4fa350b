import { ToolError } from '@anthropic-ai/sdk/lib/tools/ToolError'
import type { Gate, ToolDefinition } from '../../src/index.ts'
import { allOf } from '../shared/all-of.ts'
import { handlersOf, nobodys } from '../shared/handlers.ts'
import { definitionFrom } from '../shared/own-definition.ts'
import { type Surroundings, where } from '../shared/surroundings.ts'
import { acceptUngated, type GuardOptions } from './guard-tools.ts'
import type { HostContent, HostTool, HostUse } from './host.ts'
import { ask, HOST } from './passage.ts'
import { markServerTools } from './server-tools.ts'

/** Your code for one tool. It gets the arguments that were decided. */
export type Handler = (
  input: never,
  call: { readonly callId: string | undefined; readonly signal: AbortSignal | undefined },
) => unknown

/** By the tool's name. */
export type Handlers = Readonly<Record<string, Handler | undefined>>

/** What a hand-written loop tells beside the calls. */
export interface RunOptions extends GuardOptions {
  /** The tools as the request listed them. The gate holds arguments to their schemas, and knows the more of a call the more they say. */
  readonly tools?: readonly object[]
  /** How many messages came before. */
  readonly step?: number
  readonly signal?: AbortSignal | undefined
}

/** The answer to a `tool_use` block. */
export interface ToolResult {
  readonly type: 'tool_result'
  readonly tool_use_id: string
  /** Text, or the blocks that the handler gave. */
  readonly content: string | { readonly type: 'text'; readonly text: string }[]
  readonly is_error?: true
}

/**
 * Carries out the tool uses of an assistant message, each through the gate, and marks what Anthropic ran by itself. A refusal is an
 * answer with `is_error`. Calls run side by side; a handler's own error is thrown once all have ended, its `ToolError` is an answer.
 *
 * @param content `message.content`
 * @throws HoldpointError ERR_TOOL, ERR_UNGATED; whatever a handler throws
 * @example
 * messages.push({ role: 'user', content: await runToolUses(message.content, { order, refund }, me, { tools, step: messages.length }) })
 */
export async function runToolUses(
  content: readonly object[],
  handlers: Handlers,
  gate: Gate,
  options: RunOptions = {},
): Promise<ToolResult[]> {
  const { tools = [], server } = options
  const around = { gate, server }
  const known = handlersOf(handlers)
  const definitions = learn(known, tools, around, options)
  await markServerTools(content, gate)
  const uses = (content as readonly HostUse[]).filter(({ type }) => type === 'tool_use')
  return await allOf(uses.map(async (use) => await answer(use, known, definitions, around, options)))
}

async function answer(
  use: HostUse,
  handlers: ReadonlyMap<string, Handler>,
  definitions: ReadonlyMap<string, ToolDefinition>,
  around: Surroundings,
  { step, signal }: RunOptions,
): Promise<ToolResult> {
  const { id: callId, name = '', input } = use
  const result = { type: 'tool_result', tool_use_id: callId ?? '' } as const
  const handler = handlers.get(name)
  try {
    const content = await ask(around, {
      tool: name,
      definition: definitions.get(name) ?? nobodys(name),
      input,
      callId,
      step,
      signal,
      execute: handler === undefined ? undefined : (decided) => handler(decided as never, { callId, signal }),
    })
    return { ...result, content: asContent(content) }
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    return { ...result, content: error.content as ToolResult['content'], is_error: true }
  }
}

/** Text and blocks as they are; anything else as JSON. */
function asContent(content: HostContent | undefined): ToolResult['content'] {
  if (typeof content === 'string') return content
  const isBlocks =
    Array.isArray(content) && content.every((block) => typeof Reflect.get(Object(block), 'type') === 'string')
  return isBlocks ? (content as Exclude<ToolResult['content'], string>) : (JSON.stringify(content) ?? '')
}

/** A tool that the API knows by itself: it runs there, unless the app has a handler for it. */
function isTheirs({ type }: HostTool): boolean {
  return type !== undefined && type !== null && type !== 'custom'
}

/** Tells the gate of the tools that have a handler. */
function learn(
  handlers: ReadonlyMap<string, Handler>,
  tools: readonly HostTool[],
  around: Surroundings,
  options: GuardOptions,
): ReadonlyMap<string, ToolDefinition> {
  acceptUngated(
    tools.filter((tool) => isTheirs(tool) && !handlers.has(String(tool.name))),
    around.gate,
    options,
  )
  const declared = new Map(tools.map((tool) => [tool.name, tool]))
  const definitions = new Map(
    [...handlers].map(([name, handler]) => {
      const { description, input_schema: schema } = declared.get(name) ?? {}
      return [name, definitionFrom(declared.get(name) ?? handler, { name, description, schema })]
    }),
  )
  around.gate.register([...definitions.values()], where(around))
  around.gate.cover(
    HOST,
    [...definitions.keys()].map((tool) => ({ tool, standing: 'gated' })),
    where(around),
  )
  return definitions
}
