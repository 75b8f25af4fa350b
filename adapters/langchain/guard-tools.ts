import { type Gate, HoldpointError } from '../../src/index.ts'
import { definitionOf, isThirdParty } from './definition.ts'
import { gatedTool, isGateable } from './gated-tool.ts'
import type { HostTool } from './host.ts'
import { Passage, type Surroundings } from './passage.ts'

/** What `guardTools` and `holdpointMiddleware` may be told. */
export interface GuardOptions {
  /** Tools that run where no gate can stand, on the provider's side, and are accepted as such. By name; by type where they have none. */
  readonly ungated?: readonly string[]
  /** Our own name of the server that these tools come from. Default: the gate's; tools over MCP need one. */
  readonly server?: string
  /**
   * Tools that call `interrupt` themselves, or run an agent that does, and do nothing before it. LangGraph runs such a tool again
   * on resuming: each run after another answer is decided and receipted as a call of its own. Any other tool runs once.
   */
  readonly pauses?: readonly string[]
  /** What a medium or high call does while no policy answers. `hold` waits for the policy point to heal. Default `refuse`. */
  readonly onSilence?: 'refuse' | 'hold'
  /** The longest that a held call waits, ms, at most 10 minutes. Default 60000. */
  readonly holdMs?: number
}

/** Tools that came out of a guard. */
const guarded = new WeakSet<object>()

/**
 * Puts a gate in front of every tool's own code. The tools hold wherever LangChain runs them: in `createAgent`, in a `ToolNode`, by
 * `invoke`.
 *
 * @returns the same tools, in the same order, with the same types
 * @throws HoldpointError ERR_UNGATED naming tools that run elsewhere and that `ungated` does not list; ERR_TOOL for a missing or
 * bad name, a name twice, tools that are guarded already, or tools over MCP without `server`; ERR_HOST for a tool that is not built
 * as this adapter's versions are
 * @example
 * const me = gate.as({ user: 'alice', agent: 'support' }, { conversation: 'c1' })
 * const agent = createAgent({ model, tools: guardTools([readFile, refund], me) })
 */
export function guardTools<T extends readonly object[]>(tools: T, gate: Gate, options: GuardOptions = {}): T {
  const listed: readonly HostTool[] = [...tools]
  const twice = listed.filter(isGuarded)
  if (twice.length > 0) {
    throw new HoldpointError(
      'ERR_TOOL',
      `These tools are guarded already: ${twice.map(shownName).join(', ')}. Pass the original tools to guardTools, once.`,
    )
  }
  coverTools(listed, gate, options)
  const around = surroundings(gate, options)
  return listed.map((tool) => (isGateable(tool) ? guardOne(tool, around) : tool)) as readonly object[] as T
}

/** Tells the gate of tools before it meets them. */
export function coverTools(tools: readonly HostTool[], gate: Gate, options: GuardOptions): void {
  const { ungated = [], server } = options
  const where = server === undefined ? {} : { server }
  const gateable = tools.filter(isGateable)
  const others = tools.filter((tool) => !isGateable(tool))
  refuseUngateable(others, ungated)
  if (server === undefined) refuseThirdParties(gateable)
  gate.register(
    gateable.map((tool) => definitionOf(nameOf(tool), tool)),
    where,
  )
  gate.cover(
    'langchain',
    [
      ...gateable.map((tool) => ({ tool: nameOf(tool), standing: 'gated' as const })),
      ...others.map((tool) => ({ tool: shownName(tool), standing: 'ungated' as const, because: ELSEWHERE })),
    ],
    where,
  )
}

/** One tool that the gate was told of. */
export function guardOne(tool: HostTool, around: Surroundings): object {
  const name = nameOf(tool)
  const gated = gatedTool(new Passage(name, tool, around, definitionOf(name, tool)))
  guarded.add(gated)
  return gated
}

export function isGuarded(tool: object): boolean {
  return guarded.has(tool)
}

export function surroundings(gate: Gate, { server, pauses, onSilence, holdMs }: GuardOptions): Surroundings {
  return { gate, server, pauses: pauses ?? [], onSilence: onSilence ?? 'refuse', holdMs }
}

/** Why a tool of the provider's stands where no gate can. */
export const ELSEWHERE = 'runs on the provider'

function nameOf({ name }: HostTool): string {
  if (typeof name === 'string') return name
  throw new HoldpointError(
    'ERR_TOOL',
    'A tool has no name: the gate knows tools by their names, and policies speak of them.',
  )
}

/** What a tool of the provider's is called: some have a type alone, some not even that. */
function shownName(tool: HostTool): string {
  const found = [tool.name, tool.type, ...Object.keys(tool)].find((each) => typeof each === 'string')
  return String(found ?? 'a tool without a name')
}

function refuseUngateable(tools: readonly HostTool[], ungated: readonly string[]): void {
  const missing = tools.map(shownName).filter((name) => !ungated.includes(name))
  if (missing.length === 0) return
  throw new HoldpointError(
    'ERR_UNGATED',
    `No gate can stand in front of ${missing.join(', ')}: ${missing.length === 1 ? 'it has' : 'they have'} no code here, so the provider runs them. Leave them out, or accept it with { ungated: [${missing.map((name) => `'${name}'`).join(', ')}] }.`,
  )
}

/** INVARIANT I8: a third party may name its tool like one of ours, and must not get our words and permits by that. */
function refuseThirdParties(tools: readonly HostTool[]): void {
  const theirs = tools.filter(isThirdParty).map(nameOf)
  if (theirs.length === 0) return
  throw new HoldpointError(
    'ERR_TOOL',
    `These tools come over MCP: ${theirs.join(', ')}. What you say of your own tools must not hold for them, so guard them apart and name their server: guardTools(tools, gate, { server: 'files' }).`,
  )
}
