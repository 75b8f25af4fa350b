import { type Gate, HoldpointError, type ToolDefinition } from '../../src/index.ts'
import { cloneWith } from '../shared/clone.ts'
import { definitionFrom } from '../shared/own-definition.ts'
import { type Surroundings, where } from '../shared/surroundings.ts'
import { familyOf, type HostContext, type HostTool, type HostUse, isThirdParty, nameOf } from './host.ts'
import { ask, HOST } from './passage.ts'

/** What `guardTools` may be told. */
export interface GuardOptions {
  /** Tools that run where no gate can stand, accepted by name: `web_search`, `code_execution`, an MCP server of the connector. */
  readonly ungated?: readonly string[]
  /** Our own name of the server that these tools come from. Default: the gate's; tools of an MCP client need one. */
  readonly server?: string
}

type Run = (first: unknown, second: unknown) => unknown

/** Tools that came out of `guardTools`. */
const guarded = new WeakSet<object>()

/**
 * Puts a gate in front of every tool of a tool runner (`client.beta.messages.toolRunner`, `SessionToolRunner`): those of `betaZodTool`
 * and `betaTool`, plain ones with `run`, those of `mcpTools`, and the toolsets for browser and computer.
 *
 * @throws HoldpointError ERR_UNGATED naming tools without `run` that `ungated` does not list; ERR_TOOL for a tool without a name, a
 * case-fold twin, tools that are guarded already, or those of an MCP client without `server`.
 * @example
 * const me = gate.as({ user: 'alice', agent: 'support' }, { conversation: 'c1' })
 * const runner = client.beta.messages.toolRunner({ model, max_tokens, messages, tools: guardTools([order, refund], me) })
 */
export function guardTools<T extends readonly object[] | []>(tools: T, gate: Gate, options: GuardOptions = {}): T {
  const given: readonly HostTool[] = tools
  refuseTwice(given)
  acceptUngated(given, gate, options)
  if (options.server === undefined) refuseThirdParties(given)
  const around = { gate, server: options.server }
  const runnable = given.filter((tool) => typeof tool.run === 'function')
  const definitions = new Map(runnable.map((tool) => [tool, definitionOf(tool)]))
  gate.register([...definitions.values()], where(around))
  const seen = [...definitions.values()].map(({ name }) => ({ tool: name, standing: 'gated' as const }))
  gate.cover(HOST, seen, where(around))
  return given.map((tool) => {
    const definition = definitions.get(tool)
    return definition === undefined ? tool : guardTool(tool, definition, around)
  }) as unknown as T
}

/** Did this object come out of `guardTools`? */
export function isGuarded(tool: object): boolean {
  return guarded.has(tool)
}

function guardTool(tool: HostTool, definition: ToolDefinition, around: Surroundings): object {
  const run = tool.run as Run
  const gated = familyOf(tool) === undefined ? gatedTool : gatedToolset
  const clone = cloneWith(tool, new Map([['run', gated(tool, run, definition, around)]]))
  guarded.add(clone)
  return clone
}

/** The SDK has parsed the arguments: what is decided is what would run. */
function gatedTool(tool: HostTool, run: Run, definition: ToolDefinition, around: Surroundings): Run {
  return async (args, context) => {
    const { toolUse, signal } = (context ?? {}) as HostContext
    return await ask(around, {
      tool: definition.name,
      definition,
      input: args,
      callId: toolUse?.id,
      signal,
      execute: (input) => run.call(tool, input, context),
    })
  }
}

/** A toolset is one tool to the gate, and its member an argument: a model cannot make up names by it. */
function gatedToolset(tool: HostTool, run: Run, definition: ToolDefinition, around: Surroundings): Run {
  return async (context, use) => {
    const { id, name, input } = use as HostUse
    return await ask(around, {
      tool: definition.name,
      definition,
      input: { member: name, input },
      callId: id,
      signal: (context as HostContext | undefined)?.signal,
      execute: (decided) => {
        const { member, input: arguments_ } = decided as { readonly member: string; readonly input: unknown }
        return run.call(tool, context, { ...(use as object), name: member, input: arguments_ })
      },
    })
  }
}

function definitionOf(tool: HostTool): ToolDefinition {
  const { description, input_schema: schema } = tool
  return definitionFrom(tool, {
    name: nameOf(tool),
    description,
    schema,
    origin: isThirdParty(tool) ? 'third-party' : 'own',
  })
}

/**
 * Refuses tools without `run`, unless they are named, and writes down what is seen.
 *
 * @throws HoldpointError ERR_UNGATED
 */
export function acceptUngated(tools: readonly HostTool[], gate: Gate, { ungated = [] }: GuardOptions): void {
  const names = tools.filter((tool) => typeof tool.run !== 'function').map((tool) => String(nameOf(tool)))
  const missing = names.filter((name) => !ungated.includes(name))
  if (missing.length > 0) {
    throw new HoldpointError(
      'ERR_UNGATED',
      `No gate can stand in front of ${missing.join(', ')}: ${missing.length === 1 ? 'it has' : 'they have'} no run here. Leave them out, or accept it with guardTools(tools, gate, { ungated: [${missing.map((name) => `'${name}'`).join(', ')}] }).`,
    )
  }
  gate.cover(
    HOST,
    names.map((tool) => ({ tool, standing: 'ungated', because: 'runs at Anthropic, or in your own code' })),
  )
}

function refuseTwice(tools: readonly HostTool[]): void {
  const twice = tools.filter((tool) => guarded.has(tool)).map((tool) => String(nameOf(tool)))
  if (twice.length === 0) return
  throw new HoldpointError(
    'ERR_TOOL',
    `These tools are guarded already: ${twice.join(', ')}. Pass the original tools to guardTools, once.`,
  )
}

/** INVARIANT I8: a third party may name its tool like one of ours, and must not get our words and permits by that. */
function refuseThirdParties(tools: readonly HostTool[]): void {
  const theirs = tools.filter(isThirdParty).map((tool) => String(nameOf(tool)))
  if (theirs.length === 0) return
  throw new HoldpointError(
    'ERR_TOOL',
    `These tools come from an MCP server: ${theirs.join(', ')}. What you say of your own tools must not hold for them, so guard them apart and name their server: guardTools(tools, gate, { server: 'files' }).`,
  )
}
