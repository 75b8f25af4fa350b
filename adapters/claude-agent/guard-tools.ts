import { z } from 'zod'
import { type Gate, HoldpointError, renderForModel, type ToolDefinition } from '../../src/index.ts'
import { cloneWith } from '../shared/clone.ts'
import { cross } from '../shared/cross.ts'
import { methodOf } from '../shared/host-shape.ts'
import { jsonSchemaOf } from '../shared/json-schema.ts'
import { WHOLE_BY_CLIENT } from '../shared/mcp-result.ts'
import { isGuarded, rememberGuarded } from './guarded.ts'
import type { HostResult, SdkTool } from './host.ts'

export const HOST = 'claude-agent'

const PACKAGE = { name: '@anthropic-ai/claude-agent-sdk', range: '^0.3.329' }

/** What `guardTools` is told. */
export interface GuardToolsOptions {
  /** The server's name, as it stands in `mcpServers` and in policies. */
  readonly server: string
}

/**
 * Puts a gate in front of each handler of a `createSdkMcpServer`. This is the enforcement: it holds for whatever calls the tool,
 * hooks or none.
 *
 * @throws HoldpointError ERR_TOOL for a name no tool may have, case-fold twins, tools without a name or guarded already; ERR_HOST for one without
 * a handler
 * @example
 * const shop = createSdkMcpServer({ name: 'shop', tools: guardTools([order, refund], me, { server: 'shop' }) })
 */
export function guardTools<const T extends readonly SdkTool[]>(
  tools: T,
  gate: Gate,
  options: GuardToolsOptions,
): [...T] {
  const { server } = options
  for (const tool of tools) refuseUnusable(tool)
  const definitions = tools.map(definitionOf)
  gate.register(definitions, { server })
  gate.cover(
    HOST,
    tools.map(({ name }) => ({ tool: name, standing: 'gated' })),
    { server },
  )
  return tools.map((tool, at) => {
    const definition = definitions[at] as ToolDefinition
    const guarded = cloneWith(tool, new Map([['handler', guardedHandler(tool, definition, gate, server)]]))
    rememberGuarded(gate, server, { definition, read: reader(tool.inputSchema) }, guarded)
    return guarded
  }) as unknown as [...T]
}

type Handler = (input: unknown, extra: unknown) => Promise<HostResult>

function guardedHandler(tool: SdkTool, definition: ToolDefinition, gate: Gate, server: string): Handler {
  return async (input, extra) => {
    const callId = callIdIn(extra)
    const crossed = await cross({
      gate,
      call: { tool: tool.name, server, input, definition, ...(callId === undefined ? {} : { callId }) },
      execute: (decided) => tool.handler.call(tool, decided as never, extra as never),
      signal: signalIn(extra),
      failed: (result) => member(result, 'isError') === true,
      // INVARIANT I4: a path leads into what the tool gives, and not into the form in which it is sent.
      reveal: WHOLE_BY_CLIENT.reveal,
    })
    if (crossed.outcome === 'refused')
      return { content: [{ type: 'text', text: renderForModel(crossed.refusal) }], isError: true }
    return withNote(crossed.result as HostResult, crossed.note)
  }
}

/** What the model has to know beside the tool's own words. */
function withNote(result: HostResult, note: string | undefined): HostResult {
  if (note === undefined) return result
  const said = { type: 'text', text: note }
  if (typeof result === 'string') return { content: [{ type: 'text', text: result }, said] }
  return { ...result, content: [...(result?.content ?? []), said] }
}

function refuseUnusable(tool: SdkTool): void {
  if (isGuarded(tool)) {
    throw new HoldpointError(
      'ERR_TOOL',
      `${tool.name} is guarded already. Pass the original tools to guardTools, once.`,
    )
  }
  if (typeof tool.name === 'string') methodOf(PACKAGE, tool, `The tool "${tool.name}"`, 'handler')
  else throw new HoldpointError('ERR_TOOL', 'A tool has no name: pass what tool() of the SDK returns.')
}

function definitionOf(tool: SdkTool): ToolDefinition {
  const inputSchema = tool.inputSchema === undefined ? undefined : jsonSchemaOf(schemaOf(tool.inputSchema))
  return {
    name: tool.name,
    origin: 'own',
    ...(typeof tool.description === 'string' ? { description: tool.description } : {}),
    ...(inputSchema === undefined || inputSchema instanceof Promise ? {} : { inputSchema }),
  }
}

/** The SDK takes a raw shape, of zod 4 or 3; whole schemas pass as they are. Of zod 3 nothing can be said. */
function schemaOf(shape: unknown): unknown {
  if (typeof shape !== 'object' || shape === null || '_zod' in shape || '_def' in shape) return shape
  const fields = Object.values(shape)
  const isOurs = fields.every((field) => typeof field === 'object' && field !== null && '_zod' in field)
  return isOurs ? z.object(shape as z.ZodRawShape) : undefined
}

/** What the server will make of the raw arguments before it calls the handler; absent where that cannot be told. */
function reader(shape: unknown): ((raw: unknown) => unknown) | undefined {
  const schema = schemaOf(shape)
  const parse = member(schema, 'safeParse')
  if (typeof parse !== 'function') return undefined
  return (raw) => {
    const read: unknown = parse.call(schema, raw)
    return member(read, 'success') === true ? member(read, 'data') : raw
  }
}

/** The host's id of a call, which it sends beside the arguments. Absent where something else calls the tool: the gate mints one. */
function callIdIn(extra: unknown): string | undefined {
  const id = member(member(extra, '_meta'), 'claudecode/toolUseId')
  return typeof id === 'string' && id !== '' ? id : undefined
}

function signalIn(extra: unknown): AbortSignal | undefined {
  const signal = member(extra, 'signal')
  return signal instanceof AbortSignal ? signal : undefined
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
