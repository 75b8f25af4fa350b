import { type Gate, HoldpointError, type ToolDefinition, type ToolSeen } from '../../src/index.ts'
import { cloneWith } from '../shared/clone.ts'
import { type HostPackage, methodOf } from '../shared/host-shape.ts'
import { gatedEditor, gatedShell, isEditor, isShell } from './actions.ts'
import { gatedComputer, isComputerConfig } from './computer.ts'
import { definitionOf, nameOf } from './definition.ts'
import { gatedMembers } from './function-tool.ts'
import type { HostInvoke, HostTool } from './host.ts'
import { hostedToolFor, whyUngated } from './hosted.ts'
import { heldMcp, isAccepted, labelOf } from './hosted-mcp.ts'
import { Passage, type Surroundings } from './passage.ts'
import { isRemembered, remember } from './remembered.ts'

/** What `guardTools` may be told. */
export interface GuardOptions {
  /** Tools that run where no gate can stand (on the provider's side) and are accepted as such, by name. */
  readonly ungated?: readonly string[]
  /** Our own name of the third party that these tools come from. Default: they are your own, and the gate's server is theirs. */
  readonly server?: string
  /**
   * Which calls the run pauses for, beside those that a tool's own `needsApproval` wants: `chat`, the confirmations that this view's
   * chat can answer; `anyone`, every call that some person could say yes to. Others are refused with a reference. Default `chat`.
   */
  readonly pauseFor?: 'chat' | 'anyone'
  /** What a medium or high call does while no policy answers. `hold` waits for the policy point to heal. Default `refuse`. */
  readonly onSilence?: 'refuse' | 'hold'
  /** The longest that a held call waits, ms, at most 10 minutes. Default 60000. */
  readonly holdMs?: number
}

/** How the gate's coverage names this host. */
const HOST = 'openai-agents'
const PACKAGE: HostPackage = { name: '@openai/agents', range: '^0.20.0' }

/**
 * Puts a gate in front of every tool of an agent: function tools, local shells and editors, computers. What the host calls last is
 * the enforcement; its hooks are the experience.
 *
 * @throws HoldpointError ERR_UNGATED naming tools that no gate can stand in front of and that `ungated` does not list, and tools that
 * are agents whose own tools no gate sees; ERR_TOOL for a tool without a name, a name no tool may have, a case-fold twin, or tools
 * that are guarded already.
 * @example
 * const me = gate.as({ user: 'alice', agent: 'support' }, { conversation: 'c1' })
 * const agent = new Agent({ name: 'Support', tools: guardTools([order, refund], me) })
 */
export function guardTools<T extends object>(tools: readonly T[], gate: Gate, options: GuardOptions = {}): T[] {
  return guardAll(tools, gate, options, new Set())
}

/**
 * @param held hosted MCP servers whose calls the gate decides, since it sees what their model is told
 */
export function guardAll<T extends object>(
  tools: readonly T[],
  gate: Gate,
  options: GuardOptions,
  held: ReadonlySet<object>,
): T[] {
  const named = tools.filter((tool) => !held.has(tool)).map((tool) => [nameFor(tool), tool] as const)
  refuseTwice(named)
  refuseUngateable(named, options.ungated ?? [])
  const around = surroundingsOf(gate, options)
  const { server } = options
  const where = server === undefined ? {} : { server }
  const definitions = new Map(named.flatMap(([name, tool]) => definitionFor(name, tool, server)))
  gate.register([...definitions.values()], where)
  gate.cover(
    HOST,
    named.map(([name, tool]) => seenAs(name, tool)),
    where,
  )
  return tools.map(
    (tool) =>
      (held.has(tool)
        ? guardHeld(tool, gate)
        : guardTool(nameFor(tool), tool, around, definitions.get(tool), options)) as T,
  )
}

/** Its tools are a third party's, under the name that the provider has of it. */
function guardHeld(tool: HostTool, gate: Gate): object {
  gate.register([], { server: labelOf(tool) })
  const guarded = heldMcp(tool, gate)
  remember(guarded, { kind: 'ungated' })
  return guarded
}

/** Puts the gate in front of a tool that nobody has yet, in place: the host knows an agent's tool by the object that it made. */
export function guardInPlace(tool: object, gate: Gate, options: GuardOptions): void {
  const name = nameFor(tool)
  const invoke = invokeOf(name, tool)
  const [[, definition] = []] = definitionFor(name, tool, options.server)
  if (definition === undefined) throw ungateable([name])
  const { server } = options
  const where = server === undefined ? {} : { server }
  gate.register([definition], where)
  gate.cover(HOST, [{ tool: name, standing: 'gated' }], where)
  const original = cloneWith(tool, new Map())
  const passage = new Passage(name, original, surroundingsOf(gate, options), definition)
  for (const [key, value] of gatedMembers(passage, invoke)) Reflect.set(tool, key, value)
  remember(tool, { kind: 'agent', passage })
}

function surroundingsOf(gate: Gate, options: GuardOptions): Surroundings {
  const { server, pauseFor = 'chat', onSilence = 'refuse', holdMs } = options
  return { gate, server, pauseFor, onSilence, holdMs }
}

function guardTool(
  name: string,
  tool: HostTool,
  around: Surroundings,
  definition: ToolDefinition | undefined,
  options: GuardOptions,
): object {
  if (isRemembered(tool)) return tool
  if (definition === undefined) {
    const hosted = hostedToolFor(tool, (found) => guardTools(found, around.gate, options))
    remember(hosted, { kind: 'ungated' })
    return hosted
  }
  const passage = new Passage(name, tool, around, definition)
  const guarded = cloneWith(tool, membersOf(passage))
  remember(guarded, { kind: 'gated', passage })
  return guarded
}

/** What stands behind the gate, by the type of the tool. */
function membersOf(passage: Passage): ReadonlyMap<string, unknown> {
  const { type, shell, editor, computer } = passage.tool
  if (type === 'function') return gatedMembers(passage, invokeOf(passage.name, passage.tool))
  if (isShell(shell)) return gatedShell(passage, shell)
  if (isEditor(editor)) return gatedEditor(passage, editor)
  if (isComputerConfig(computer)) return gatedComputer(passage)
  throw ungateable([passage.name])
}

/** None for what is no tool of ours to run, and for an agent's tool that is guarded already. */
function definitionFor(
  name: string,
  tool: HostTool,
  server: string | undefined,
): readonly (readonly [HostTool, ToolDefinition])[] {
  if (!isGateable(tool) || isRemembered(tool)) return []
  return [[tool, definitionOf(name, tool, server === undefined ? 'own' : 'third-party')]]
}

/** Does this tool have code here that the host calls last? */
function isGateable(tool: HostTool): boolean {
  switch (tool.type) {
    case 'function':
      return true
    case 'shell':
      return isShell(tool.shell)
    case 'apply_patch':
      return isEditor(tool.editor)
    case 'computer':
      return isComputerConfig(tool.computer)
    default:
      return false
  }
}

function seenAs(name: string, tool: HostTool): ToolSeen {
  if (!isGateable(tool)) return { tool: name, standing: 'ungated', because: whyUngated(tool) }
  return isForeignAgent(tool)
    ? { tool: name, standing: 'unknown', because: 'its agent has tools of its own' }
    : { tool: name, standing: 'gated' }
}

/** An agent as a tool whose agent did not go through `guardAgent`: its own tools would run without the gate. */
function isForeignAgent(tool: HostTool): boolean {
  return tool.type === 'function' && typeof tool.on === 'function' && !isRemembered(tool)
}

function invokeOf(name: string, tool: object): HostInvoke {
  return methodOf(PACKAGE, tool, `the tool "${name}"`, 'invoke') as unknown as HostInvoke
}

function nameFor(tool: HostTool): string {
  const name = nameOf(tool)
  if (name !== undefined) return name
  throw new HoldpointError(
    'ERR_TOOL',
    'A tool without a name was passed to guardTools: nobody could speak of it. Name it.',
  )
}

function refuseTwice(named: readonly (readonly [string, HostTool])[]): void {
  const twice = named.filter(([, tool]) => isRemembered(tool) && typeof tool.on !== 'function').map(([name]) => name)
  if (twice.length === 0) return
  throw new HoldpointError(
    'ERR_TOOL',
    `These tools are guarded already: ${twice.join(', ')}. Pass the original tools to guardTools, once.`,
  )
}

function refuseUngateable(named: readonly (readonly [string, HostTool])[], ungated: readonly string[]): void {
  const open = named.filter(([name, tool]) => !isAccepted(tool, name, ungated))
  const missing = open.filter(([, tool]) => !isGateable(tool)).map(([name]) => name)
  if (missing.length > 0) throw ungateable(missing)
  const foreign = open.filter(([, tool]) => isForeignAgent(tool)).map(([name]) => name)
  if (foreign.length === 0) return
  throw new HoldpointError(
    'ERR_UNGATED',
    `No gate sees what happens inside ${foreign.join(', ')}: ${foreign.length === 1 ? 'it is an agent' : 'they are agents'} with tools of ${foreign.length === 1 ? 'its' : 'their'} own. Make the tool of the guarded agent, guardAgent(agent, gate).asTool(…), or accept it with { ungated: [${quoted(foreign)}] }: the call itself passes the gate all the same.`,
  )
}

function ungateable(names: readonly string[]): HoldpointError {
  return new HoldpointError(
    'ERR_UNGATED',
    `No gate can stand in front of ${names.join(', ')}: nothing here runs ${names.length === 1 ? 'it' : 'them'}, the provider does. Leave them out, or accept it with guardTools(tools, gate, { ungated: [${quoted(names)}] }). The calls of a hostedMcpTool with requireApproval: 'always' are gated by guardAgent where the agent's model is an object.`,
  )
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ')
}
