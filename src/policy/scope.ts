import type { LoadedPolicy } from './load.ts'
import { entitiesNamed } from './names.ts'
import { ACTION_GROUPS } from './vocabulary.ts'

/** What the scope of a policy, the part in parentheses, says of the calls that it is about. */
export interface Scope {
  /** Ids of the tools that it names; none where it names groups alone, or leaves the action open. */
  readonly tools: readonly string[]
  /** The tiers and surfaces that it names. */
  readonly groups: readonly string[]
  /** Where it names one. */
  readonly server: string | undefined
}

export function scopeOf({ json }: LoadedPolicy): Scope {
  const named = entitiesNamed(json, [])
  const actions = named.filter(({ type }) => type === 'Action').map(({ id }) => id)
  return {
    tools: actions.filter((id) => !ACTION_GROUPS.has(id)),
    groups: actions.filter((id) => ACTION_GROUPS.has(id)),
    server: named.find(({ type }) => type === 'Server')?.id,
  }
}

/** The only tools that a policy can be about, or `undefined` where its scope leaves that open. */
export function toolsMeant(policy: LoadedPolicy): readonly string[] | undefined {
  const { tools, groups } = scopeOf(policy)
  return tools.length === 0 || groups.length > 0 ? undefined : tools
}

/** Could a policy be about this tool? Its conditions are not looked at. */
export function mayConcern(policy: LoadedPolicy, tool: string): boolean {
  const { server } = scopeOf(policy)
  if (server !== undefined && server !== serverOf(tool)) return false
  return toolsMeant(policy)?.includes(tool) ?? true
}

/** Could both be about the same call? Two that name tools and share none cannot. */
export function mayMeet(one: LoadedPolicy, other: LoadedPolicy): boolean {
  const [ones, others] = [toolsMeant(one), toolsMeant(other)]
  return ones === undefined || others === undefined || ones.some((id) => others.includes(id))
}

/** Every tool that a policy names, each once: in its scope or in a condition. */
export function toolsNamed({ json, clauses }: Pick<LoadedPolicy, 'json' | 'clauses'>): readonly string[] {
  const actions = entitiesNamed(json, clauses).filter(({ type, id }) => type === 'Action' && !ACTION_GROUPS.has(id))
  return [...new Set(actions.map(({ id }) => id))]
}

/** Our own name of the server of a tool. */
export function serverOf(tool: string): string {
  return tool.slice(0, tool.indexOf('/'))
}
