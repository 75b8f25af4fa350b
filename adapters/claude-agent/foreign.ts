import type { Gate, ToolDefinition } from '../../src/index.ts'
import { BUILT_IN_TOOLS } from './built-in.ts'
import { HOST } from './guard-tools.ts'
import type { ToolName } from './names.ts'

/**
 * Tools that the host itself runs, by our own name of their server. Hooks are told of one at a time, by name alone, so that is when
 * the gate is told of it.
 */
export class Foreign {
  readonly #gate: Gate
  readonly #known = new Map<string, Map<string, ToolDefinition>>()

  constructor(gate: Gate) {
    this.#gate = gate
  }

  /** @throws HoldpointError ERR_TOOL for a name that no tool may have */
  definitionOf({ server, tool, from }: ToolName): ToolDefinition {
    const known = this.#known.get(server)
    const found = known?.get(tool)
    if (found !== undefined) return found
    const first = from === undefined ? BUILT_IN_TOOLS.map((built) => [built.name, built] as const) : []
    const tools = new Map(known ?? first)
    const definition = tools.get(tool) ?? { name: tool, origin: from === undefined ? 'own' : 'third-party' }
    tools.set(tool, definition)
    // Policies are read against all of a server's tools that are known, whichever was seen last.
    this.#gate.register([...tools.values()], { server })
    this.#known.set(server, tools)
    this.#gate.cover(HOST, [{ tool, standing: 'gated' }], { server })
    return definition
  }
}
