import { type Gate, HoldpointError } from '../../src/index.ts'
import { cloneWith } from '../shared/clone.ts'
import { definitionOf, isThirdParty } from './definition.ts'
import { gatedTool, isGuarded } from './gated-tool.ts'
import type { HostTool } from './host.ts'
import { Passage, type Surroundings } from './passage.ts'

/** What `guardTools` may be told. */
export interface GuardOptions {
  /** Tools that run where no gate can stand (at the provider, in the client) and are accepted as such. */
  readonly ungated?: readonly string[]
  /** Our own name of the server that these tools come from. Default: the gate's; tools over MCP need one. */
  readonly server?: string
  /**
   * Tools that suspend their run by themselves, and do nothing before they do. Mastra runs such a tool again on resuming: each run
   * after an answer is decided and receipted as a call of its own. Any other tool runs once.
   */
  readonly pauses?: readonly string[]
  /** Tools that one run of a workflow may call several times with the same arguments: its steps have no call ids. */
  readonly repeats?: readonly string[]
  /** What a medium or high call does while no policy answers. `hold` waits for the policy point to heal. Default `refuse`. */
  readonly onSilence?: 'refuse' | 'hold'
  /** The longest that a held call waits, ms, at most 10 minutes. Default 60000. */
  readonly holdMs?: number
}

/** Tools by the names under which a model calls them. */
export type Tools = Readonly<Record<string, object>>

/**
 * Puts a gate in front of every tool. The tools hold wherever Mastra runs them: in agents, code mode, workflows, background tasks, and
 * when your own code calls `execute`.
 *
 * @returns the same tools, under the same names, with the same types
 * @throws HoldpointError ERR_UNGATED naming tools that run elsewhere and that `ungated` does not list; ERR_TOOL for a bad name, tools
 * that are guarded already, or tools over MCP without `server`
 * @example
 * const me = gate.as({ user: 'alice', agent: 'support' }, { conversation: 'c1' })
 * const agent = new Agent({ id: 'support', name: 'support', instructions, model, tools: guardTools({ refund }, me) })
 */
export function guardTools<const T extends Tools>(tools: T, gate: Gate, options: GuardOptions = {}): T {
  const listed: readonly (readonly [string, HostTool])[] = Object.entries(tools)
  const twice = listed.filter(([, tool]) => isGuarded(tool)).map(([name]) => name)
  if (twice.length > 0) {
    throw new HoldpointError(
      'ERR_TOOL',
      `These tools are guarded already: ${twice.join(', ')}. Pass the original tools to guardTools, once.`,
    )
  }
  const gated = coverTools(listed, gate, options)
  const around = surroundings(gate, options)
  const guarded = gated.map(([name, tool]) => [
    name,
    gatedTool(new Passage(name, tool, around, definitionOf(name, tool))),
  ])
  return cloneWith(tools, new Map(guarded as [string, object][])) as T
}

/** Tells the gate of tools before it meets them; those that it can stand in front of are returned. */
export function coverTools(
  listed: readonly (readonly [string, HostTool])[],
  gate: Gate,
  { ungated = [], server }: Pick<GuardOptions, 'ungated' | 'server'>,
): readonly (readonly [string, HostTool])[] {
  const where = server === undefined ? {} : { server }
  const gated = listed.filter(([, tool]) => isGateable(tool))
  const others = listed.filter(([, tool]) => !isGateable(tool))
  refuseUngateable(
    others.map(([name]) => name),
    ungated,
  )
  if (server === undefined) refuseThirdParties(gated)
  gate.register(
    gated.map(([name, tool]) => definitionOf(name, tool)),
    where,
  )
  gate.cover(
    'mastra',
    [
      ...gated.map(([tool]) => ({ tool, standing: 'gated' as const })),
      ...others.map(([tool, { type }]) => ({ tool, standing: 'ungated' as const, because: becauseOf(type) })),
    ],
    where,
  )
  return gated
}

export function surroundings(gate: Gate, options: GuardOptions): Surroundings {
  const { server, pauses = [], repeats = [], onSilence = 'refuse', holdMs } = options
  return { gate, server, pauses, repeats, onSilence, holdMs }
}

/** Why a tool stands where no gate can. */
export function becauseOf(type: unknown): string {
  return type === 'provider' || type === 'provider-defined' ? 'runs on the provider' : 'runs in the client'
}

function isGateable({ execute }: HostTool): boolean {
  return typeof execute === 'function'
}

function refuseUngateable(names: readonly string[], ungated: readonly string[]): void {
  const missing = names.filter((name) => !ungated.includes(name))
  if (missing.length === 0) return
  throw new HoldpointError(
    'ERR_UNGATED',
    `No gate can stand in front of ${missing.join(', ')}: ${missing.length === 1 ? 'it has' : 'they have'} no execute here, so the provider or the client runs them. Leave them out, or accept it with { ungated: [${missing.map((name) => `'${name}'`).join(', ')}] }.`,
  )
}

/** INVARIANT I8: a third party may name its tool like one of ours, and must not get our words and permits by that. */
function refuseThirdParties(gated: readonly (readonly [string, HostTool])[]): void {
  const theirs = gated.filter(([, tool]) => isThirdParty(tool)).map(([name]) => name)
  if (theirs.length === 0) return
  throw new HoldpointError(
    'ERR_TOOL',
    `These tools come over MCP: ${theirs.join(', ')}. What you say of your own tools must not hold for them, so guard them apart and name their server: guardTools(tools, gate, { server: 'files' }).`,
  )
}
