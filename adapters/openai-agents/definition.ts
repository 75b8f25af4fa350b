import type { JsonSchema, ToolDefinition } from '../../src/index.ts'
import { type HostTool, hiddenMember, member } from './host.ts'

/** Definitions already read, by tool object and origin: `guardTools` runs once per request. */
const read = new WeakMap<HostTool, Map<string, ToolDefinition>>()

/** What the gate is told of a tool. */
export function definitionOf(name: string, tool: HostTool, origin: ToolDefinition['origin']): ToolDefinition {
  const known = read.get(tool) ?? new Map<string, ToolDefinition>()
  read.set(tool, known)
  const definition = known.get(origin) ?? describe(name, tool, origin)
  known.set(origin, definition)
  return definition
}

/** `namespace.name` where the host tells tools of one name apart by a namespace; `undefined` for a tool without a name. */
export function nameOf(tool: HostTool): string | undefined {
  if (typeof tool.name !== 'string' || tool.name === '') return undefined
  const namespace = member(tool, hiddenMember(tool, 'functionToolNamespace') ?? '')
  return typeof namespace === 'string' ? `${namespace}.${tool.name}` : tool.name
}

function describe(name: string, tool: HostTool, origin: ToolDefinition['origin']): ToolDefinition {
  const inputSchema = inputSchemaOf(tool)
  const outputSchema = plain(tool.outputSchema)
  return {
    name,
    origin,
    ...(typeof tool.description === 'string' ? { description: tool.description } : {}),
    ...(inputSchema === undefined ? {} : { inputSchema }),
    ...(outputSchema === undefined ? {} : { outputSchema }),
  }
}

/** Tools that are no functions say in the protocol, not in a schema, what they are called with. */
function inputSchemaOf(tool: HostTool): JsonSchema | undefined {
  switch (tool.type) {
    case 'shell':
      return SHELL
    case 'apply_patch':
      return PATCH
    case 'computer':
      return COMPUTER
    default:
      return asRead(plain(tool.parameters))
  }
}

const SHELL: JsonSchema = {
  type: 'object',
  properties: { commands: { type: 'array', items: { type: 'string' } } },
  required: ['commands'],
}

const PATCH: JsonSchema = {
  type: 'object',
  properties: { type: { type: 'string' }, path: { type: 'string' }, diff: { type: 'string' } },
  required: ['type', 'path'],
}

const COMPUTER: JsonSchema = {
  type: 'object',
  properties: { actions: { type: 'array', items: { type: 'object' } } },
  required: ['actions'],
}

/**
 * The host requires members that have a default or may be left out, since strict models always say them, `null` at least. The tool's own
 * reader takes what another model left out as it always did, so such a call is none that misses the schema.
 */
function asRead(schema: JsonSchema | undefined): JsonSchema | undefined {
  return schema === undefined ? undefined : (relaxed(schema) as JsonSchema)
}

function relaxed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relaxed)
  if (typeof value !== 'object' || value === null) return value
  const { required, properties } = value as { readonly required?: unknown; readonly properties?: unknown }
  const inside = Object.fromEntries(Object.entries(value).map(([name, each]) => [name, relaxed(each)]))
  if (!Array.isArray(required)) return inside
  return { ...inside, required: required.filter((name) => !mayBeLeftOut(member(properties, String(name)))) }
}

function mayBeLeftOut(schema: unknown): boolean {
  return Object.hasOwn(Object(schema), 'default') || takesNull(schema)
}

function takesNull(schema: unknown): boolean {
  const types: readonly unknown[] = [member(schema, 'type')].flat()
  const kinds: unknown = member(schema, 'anyOf') ?? member(schema, 'oneOf')
  return types.includes('null') || (Array.isArray(kinds) && kinds.some(takesNull))
}

/** Only plain JSON reaches the contract. */
function plain(value: unknown): JsonSchema | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  try {
    return JSON.parse(JSON.stringify(value)) as JsonSchema
  } catch {
    // A schema that is no JSON leaves the contract without one; the classifier then knows less, never more.
    return undefined
  }
}
