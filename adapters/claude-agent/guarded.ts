import type { Gate, ToolDefinition } from '../../src/index.ts'

/** A tool of this program that stands behind the gate in its own handler. */
export interface GuardedTool {
  readonly definition: ToolDefinition
  /** The arguments as the handler will get them: with defaults, without what the schema does not know. The raw ones where they miss it. */
  readonly read: ((raw: unknown) => unknown) | undefined
}

/** By gate or view: what `guardTools` guarded, by `server/tool`. The hooks of the same view look here. */
const guarded = new WeakMap<Gate, Map<string, GuardedTool>>()
/** Objects that came out of `guardTools`. */
const outcomes = new WeakSet<object>()

export function rememberGuarded(gate: Gate, server: string, guardedTool: GuardedTool, outcome: object): void {
  const known = guarded.get(gate) ?? new Map<string, GuardedTool>()
  guarded.set(gate, known.set(`${server}/${guardedTool.definition.name}`, guardedTool))
  outcomes.add(outcome)
}

export function guardedTool(gate: Gate, server: string, tool: string): GuardedTool | undefined {
  return guarded.get(gate)?.get(`${server}/${tool}`)
}

export function isGuarded(tool: object): boolean {
  return outcomes.has(tool)
}
