import { type Gate, HoldpointError } from '../../src/index.ts'
import { cloneWith } from '../shared/clone.ts'
import { noteStart } from './actions.ts'
import { noteComputerStart } from './computer.ts'
import { type GuardOptions, guardAll, guardInPlace, guardTools } from './guard-tools.ts'
import { type HostAgent, type HostTool, type HostToolCall, isAgent, member } from './host.ts'
import { watchedModel } from './hosted.ts'
import { isAccepted, isHeldMcp, labelOf } from './hosted-mcp.ts'
import { guardMcpServer, isGuardedServer } from './mcp-server.ts'
import { remembered } from './remembered.ts'
import { reportRun } from './tripwire.ts'

/** What `guardAgent` may be told. */
export interface GuardAgentOptions extends Omit<GuardOptions, 'server'> {
  /** Our own names of the agents' MCP servers, by the names that those have in the host: `{ 'Filesystem Server': 'files' }`. */
  readonly servers?: Readonly<Record<string, string>>
  /** The view in which an agent acts, by its name, where several act under names of their own. Default: the gate that was given. */
  readonly as?: (agent: string) => Gate
}

const guardedAgents = new WeakSet<object>()

/**
 * Puts a gate in front of everything that an agent may run: its tools, its MCP servers, and the same of every agent that it can hand
 * over to. The agent itself stays as it was. An agent that is to be a tool of another is guarded first: `guardAgent(a, gate).asTool(…)`.
 *
 * @throws HoldpointError as `guardTools`; ERR_TOOL for what is no agent, one that is guarded already, or an MCP server that `servers`
 * does not name
 * @example
 * const result = await run(guardAgent(agent, me), 'I want my money back.')
 */
export function guardAgent<A extends object>(agent: A, gate: Gate, options: GuardAgentOptions = {}): A {
  return guardOne(agent, { gate, options, met: new Map() }) as A
}

/** One call of `guardAgent`: agents hand over to one another in circles. */
interface Tour {
  readonly gate: Gate
  readonly options: GuardAgentOptions
  readonly met: Map<object, object>
}

function guardOne(agent: object, tour: Tour): object {
  const known = tour.met.get(agent)
  if (known !== undefined) return known
  if (!isAgent(agent)) throw new HoldpointError('ERR_TOOL', 'guardAgent takes an Agent of @openai/agents.')
  if (guardedAgents.has(agent))
    throw new HoldpointError('ERR_TOOL', `The agent "${agent.name}" is guarded already. Pass the original, once.`)
  const view = tour.options.as?.(agent.name) ?? tour.gate
  const handoffs: object[] = []
  const guarded = cloneWith(agent, membersOf(agent, view, handoffs, tour.options)) as HostAgent
  Object.defineProperty(guarded, 'asTool', { value: asToolOf(agent, guarded, view, tour.options) })
  tour.met.set(agent, guarded)
  guardedAgents.add(guarded)
  handoffs.push(...agent.handoffs.map((handoff) => guardHandoff(handoff, tour)))
  return guarded
}

function membersOf(
  agent: HostAgent,
  view: Gate,
  handoffs: readonly object[],
  options: GuardAgentOptions,
): ReadonlyMap<string, unknown> {
  const { model, tools } = agent
  const isWatched = typeof member(model, 'getResponse') === 'function'
  const held = isWatched ? heldAmong(tools, options) : []
  const capabilities = member(agent, 'capabilities')
  return new Map<string, unknown>([
    ['tools', guardAll(tools, view, options, new Set(held))],
    ['mcpServers', agent.mcpServers.map((server) => guardServer(server, view, options))],
    ['handoffs', handoffs],
    ['emit', listening(agent, view)],
    ...(Array.isArray(capabilities)
      ? ([['capabilities', capabilities.map((capability) => guardCapability(capability, view, options))]] as const)
      : []),
    ...(isWatched ? ([['model', watchedModel(model as object, view, new Set(held.map(labelOf)))]] as const) : []),
  ])
}

/** Hosted MCP servers whose calls are held and decided; one that is accepted as ungated stays the host's own. */
function heldAmong(tools: readonly HostTool[], { ungated = [] }: GuardAgentOptions): readonly HostTool[] {
  return tools.filter((tool) => isHeldMcp(tool) && !isAccepted(tool, String(tool.name), ungated))
}

/**
 * What a sandbox gives its agent: the host copies a capability for each run, binds the copy, and asks it for tools of which nobody has
 * heard before.
 */
function guardCapability(capability: object, view: Gate, options: GuardAgentOptions): object {
  const tools = member(capability, 'tools')
  const clone = member(capability, 'clone')
  if (typeof tools !== 'function' || typeof clone !== 'function')
    throw new HoldpointError(
      'ERR_HOST',
      'A capability of this agent has no tools() and clone(), so nobody can guard it.',
    )
  return cloneWith(
    capability,
    new Map<string, unknown>([
      ['clone', () => guardCapability(clone.call(capability), view, options)],
      [
        'tools',
        function (this: object) {
          return guardTools(tools.call(this), view, options)
        },
      ],
    ]),
  )
}

/** The agent's own tool, guarded in place: the host finds an agent's saved run by the very object that it made. */
function asToolOf(agent: HostAgent, guarded: HostAgent, view: Gate, options: GuardAgentOptions) {
  return (how: object): object => {
    const tool = agent.asTool.call(guarded, how)
    guardInPlace(tool, view, options)
    return tool
  }
}

/** An agent that another one hands over to: one that is guarded already stays in the view that it has. */
function reached(agent: object, tour: Tour): object {
  return guardedAgents.has(agent) ? agent : guardOne(agent, tour)
}

function guardHandoff(handoff: object, tour: Tour): object {
  if (isAgent(handoff)) return reached(handoff, tour)
  const [target, invoke] = [member(handoff, 'agent'), member(handoff, 'onInvokeHandoff')]
  if (typeof target !== 'object' || target === null || typeof invoke !== 'function')
    throw new HoldpointError('ERR_TOOL', 'A handoff of this agent is neither an Agent nor a Handoff of @openai/agents.')
  const guarded = async (...asked: readonly unknown[]) => {
    const next: object = await invoke.apply(handoff, asked)
    return reached(next, tour)
  }
  return cloneWith(
    handoff,
    new Map<string, unknown>([
      ['agent', reached(target, tour)],
      ['onInvokeHandoff', guarded],
    ]),
  )
}

function guardServer(server: object, view: Gate, { servers = {}, onSilence, holdMs }: GuardAgentOptions): object {
  if (isGuardedServer(server)) return server
  const name = String(member(server, 'name'))
  const ours = new Map(Object.entries(servers)).get(name)
  if (ours === undefined)
    throw new HoldpointError(
      'ERR_TOOL',
      `The MCP server "${name}" has no name of ours, and its tools must not get your words on your own. Name it: guardAgent(agent, gate, { servers: { ${JSON.stringify(name)}: 'files' } }).`,
    )
  return guardMcpServer(server, view, {
    server: ours,
    ...(onSilence === undefined ? {} : { onSilence }),
    ...(holdMs === undefined ? {} : { holdMs }),
  })
}

/** A resumed run does not ask our hooks again, so this is where whose call it is is learned. */
function noteToolStart(tool: HostTool, context: object, toolCall: HostToolCall): void {
  const entry = remembered(tool)
  if (tool.type === 'computer' && entry?.kind === 'gated') noteComputerStart(entry.passage, context, toolCall)
  else noteStart(context, toolCall)
}

/** The agent's own events, as the runner emits them: whose call starts, and what has run that nobody asked us about. */
function listening(agent: HostAgent, view: Gate): HostAgent['emit'] {
  return (event, ...details) => {
    const [context, tool] = details
    if (typeof tool === 'object' && tool !== null) {
      const toolCall = member(details.at(-1), 'toolCall')
      if (event === 'agent_tool_start') noteToolStart(tool, Object(context), Object(toolCall))
      if (event === 'agent_tool_end') reportRun(view, tool as HostTool, toolCall)
    }
    return agent.emit(event, ...details)
  }
}
