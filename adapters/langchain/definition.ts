import type { JsonSchema, ToolDefinition } from '../../src/index.ts'
import { annotationsIn, declaredIn, member } from '../shared/declared.ts'
import { jsonSchemaOf } from '../shared/json-schema.ts'
import type { HostTool } from './host.ts'

/** Definitions already read: `guardTools` runs once per request. */
const read = new WeakMap<HostTool, ToolDefinition>()

/** What the gate is told of a tool. */
export function definitionOf(name: string, tool: HostTool): ToolDefinition {
  const known = read.get(tool)
  if (known !== undefined) return known
  const definition = describe(name, tool)
  read.set(tool, definition)
  return definition
}

/** Did this definition come over a wire? `@langchain/mcp-adapters` keeps the server's annotations in the metadata, even none. */
export function isThirdParty({ metadata }: HostTool): boolean {
  return typeof metadata === 'object' && metadata !== null && Object.hasOwn(metadata, 'annotations')
}

function describe(name: string, tool: HostTool): ToolDefinition {
  const inputSchema = schemaOf(tool.schema)
  const isTheirs = isThirdParty(tool)
  const annotations = isTheirs ? annotationsIn(member(tool.metadata, 'annotations')) : undefined
  const declared = isTheirs ? undefined : declaredIn(tool.metadata)
  return {
    name,
    origin: isTheirs ? 'third-party' : 'own',
    ...(typeof tool.description === 'string' ? { description: tool.description } : {}),
    ...(inputSchema === undefined ? {} : { inputSchema }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(declared === undefined ? {} : { declared }),
  }
}

/** LangChain takes JSON Schema as it stands, too. zod 3 cannot describe its output, and is left out. */
function schemaOf(schema: unknown): JsonSchema | undefined {
  const found = isPlain(schema) ? jsonSchemaOf({ jsonSchema: schema }) : jsonSchemaOf(schema)
  return found instanceof Promise ? undefined : found
}

function isPlain(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && Object.getPrototypeOf(schema) === Object.prototype
}
