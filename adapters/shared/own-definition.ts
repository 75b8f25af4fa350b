import { HoldpointError, type JsonSchema, type ToolDefinition } from '../../src/index.ts'

/** What a host's tool says of itself. */
export interface Declared {
  readonly name: unknown
  readonly description?: unknown
  /** JSON Schema, as the model is sent it. */
  readonly schema?: unknown
  readonly origin?: ToolDefinition['origin']
}

/** Definitions already read, each with what they were read from: apps guard the same tools for every request. */
const read = new WeakMap<object, { readonly said: string; readonly definition: ToolDefinition }>()

/**
 * What the gate is told of a tool whose schema is JSON Schema already.
 *
 * @param key the app's own object that it was read from
 * @throws HoldpointError ERR_TOOL for a tool without a name
 */
export function definitionFrom(key: object, declared: Declared): ToolDefinition {
  const { name, description, origin = 'own' } = declared
  if (typeof name !== 'string' || name === '')
    throw new HoldpointError(
      'ERR_TOOL',
      'A tool without a name cannot be guarded: give it one, the model has to call it by it.',
    )
  const inputSchema = plainSchema(declared.schema)
  // INVARIANT I3: an app may change its own object between two requests, and arguments are held to what the model is sent now.
  const said = JSON.stringify([name, origin, typeof description === 'string' ? description : null, inputSchema ?? null])
  const known = read.get(key)
  if (known?.said === said) return known.definition
  const definition: ToolDefinition = {
    name,
    origin,
    ...(typeof description === 'string' ? { description } : {}),
    ...(inputSchema === undefined ? {} : { inputSchema }),
  }
  read.set(key, { said, definition })
  return definition
}

/** Hosts write `null` for a keyword that they leave out. A schema that JSON cannot hold leaves the contract without one. */
function plainSchema(schema: unknown): JsonSchema | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined
  try {
    const members = Object.entries(JSON.parse(JSON.stringify(schema)) as object)
    return Object.fromEntries(members.filter(([, value]) => value !== null)) as JsonSchema
  } catch {
    return undefined
  }
}
