import { type Gate, HoldpointError, type JsonSchema, type ToolDefinition } from '../../src/index.ts'
import { type HostDeclaration, textOf } from './host.ts'

/** The host's name in `gate.coverage()`. */
export const HOST = 'openai'

/** What the tools of one guarding share. */
export interface Surroundings {
  readonly gate: Gate
  readonly server: string | undefined
}

/** What every entry of this adapter may be told. */
export interface ServerOption {
  /** Our own name of the server that these tools come from. Default: the gate's. */
  readonly server?: string
}

export function around(gate: Gate, { server }: ServerOption): Surroundings {
  return { gate, server }
}

/** `{ server }` where there is one. */
export function where({ server }: Surroundings): { readonly server?: string } {
  return server === undefined ? {} : { server }
}

/** Definitions already read: apps guard the same tools for every request. */
const read = new WeakMap<object, ToolDefinition>()

/**
 * What the gate is told of a tool.
 *
 * @param key the app's own object that it was read from
 * @throws HoldpointError ERR_TOOL for a tool without a name
 */
export function definitionOf(declared: HostDeclaration, key: object = declared): ToolDefinition {
  const known = read.get(key)
  if (known !== undefined) return known
  const name = textOf(declared, 'name')
  if (name === undefined || name === '')
    throw new HoldpointError(
      'ERR_TOOL',
      'A tool without a name cannot be guarded: give it one, the model has to call it by it.',
    )
  const description = textOf(declared, 'description')
  const inputSchema = plainSchema(declared.parameters)
  const definition: ToolDefinition = {
    name,
    origin: 'own',
    ...(description === undefined ? {} : { description }),
    ...(inputSchema === undefined ? {} : { inputSchema }),
  }
  read.set(key, definition)
  return definition
}

/** The schema as the model is sent it; one that JSON cannot hold leaves the contract without one. */
function plainSchema(schema: unknown): JsonSchema | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined
  try {
    return JSON.parse(JSON.stringify(schema)) as JsonSchema
  } catch {
    return undefined
  }
}
