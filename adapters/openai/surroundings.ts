import type { Gate, ToolDefinition } from '../../src/index.ts'
import type { HostPackage } from '../shared/host-shape.ts'
import { definitionFrom } from '../shared/own-definition.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import type { HostDeclaration } from './host.ts'

/** The host's name in `gate.coverage()`. */
export const HOST = 'openai'

/** As `peerDependencies` has it. */
export const PACKAGE: HostPackage = { name: 'openai', range: '^7.0.0' }

/** What every entry of this adapter may be told. */
export interface ServerOption {
  /** Our own name of the server that these tools come from. Default: the gate's. */
  readonly server?: string
}

export function around(gate: Gate, { server }: ServerOption): Surroundings {
  return { gate, server }
}

/** Names of functions that are known to be guarded. */
export function gatedTools(gate: Gate): ReadonlySet<string> {
  const gated = gate.coverage().filter(({ host, standing }) => host === HOST && standing === 'gated')
  return new Set(gated.map(({ tool }) => tool))
}

/**
 * What the gate is told of a tool.
 *
 * @param key the app's own object that it was read from
 * @throws HoldpointError ERR_TOOL for a tool without a name
 */
export function definitionOf(declared: HostDeclaration, key: object = declared): ToolDefinition {
  const { name, description, parameters } = declared
  return definitionFrom(key, { name, description, schema: parameters })
}
