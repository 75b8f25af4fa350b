import type { JsonSchema, ToolDefinition } from '../../src/index.ts'
import { annotationsIn, declaredIn, member } from '../shared/declared.ts'
import { jsonSchemaOf } from '../shared/json-schema.ts'
import type { HostTool } from './host.ts'

/** Definitions already read, by tool object and name: `guardTools` runs once per request. */
const read = new WeakMap<HostTool, Map<string, ToolDefinition>>()

/** What the gate is told of a tool. */
export function definitionOf(name: string, tool: HostTool): ToolDefinition {
  const names = read.get(tool) ?? new Map<string, ToolDefinition>()
  const known = names.get(name)
  if (known !== undefined) return known
  const definition = describe(name, tool)
  read.set(tool, names.set(name, definition))
  return definition
}

/** Did this definition come over a wire? `@mastra/mcp` names the server that it got a tool from. */
export function isThirdParty({ mcpMetadata, mcp }: HostTool): boolean {
  return mcpMetadata !== undefined || member(mcp, '_meta') !== undefined
}

/** Arguments as the tool's own schema makes them: what `execute` gets, and so what is decided. */
export async function parsed(tool: HostTool, input: unknown): Promise<unknown> {
  const standard = Reflect.get(Object(inputSchemaOf(tool)), '~standard') as Standard | undefined
  if (typeof standard?.validate !== 'function') return input
  const read = await standard.validate(input ?? {})
  // What misses the schema is decided as it came: the gate holds it to the schema as well.
  return read.issues === undefined ? read.value : input
}

interface Standard {
  readonly validate: (value: unknown) => Promise<Result> | Result
}

interface Result {
  readonly value?: unknown
  readonly issues?: readonly unknown[] | undefined
}

function inputSchemaOf({ inputSchema, parameters }: HostTool): unknown {
  const schema = inputSchema ?? parameters
  return typeof schema === 'function' ? schema() : schema
}

function describe(name: string, tool: HostTool): ToolDefinition {
  const isTheirs = isThirdParty(tool)
  const [inputSchema, outputSchema] = [plainSchema(inputSchemaOf(tool)), plainSchema(tool.outputSchema)]
  const annotations = annotationsIn(member(tool.mcp, 'annotations'))
  const declared = isTheirs ? undefined : (declaredIn(tool.metadata) ?? declaredIn(member(tool.mcp, '_meta')))
  return {
    name,
    origin: isTheirs ? 'third-party' : 'own',
    ...(typeof tool.title === 'string' ? { title: tool.title } : {}),
    ...(typeof tool.description === 'string' ? { description: tool.description } : {}),
    ...(inputSchema === undefined ? {} : { inputSchema }),
    ...(outputSchema === undefined ? {} : { outputSchema }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(declared === undefined ? {} : { declared }),
  }
}

function plainSchema(schema: unknown): JsonSchema | undefined {
  const found = jsonSchemaOf(schema)
  return found instanceof Promise ? undefined : found
}
