import type { JsonSchema, ToolAnnotations, ToolDefinition } from '../../src/index.ts'
import { annotationsIn, declaredIn, member } from '../shared/declared.ts'
import { jsonSchemaOf } from '../shared/json-schema.ts'
import type { HostTool } from './host.ts'

/** Definitions already read, by tool object and name: `guardTools` runs once per request. */
const read = new WeakMap<HostTool, Map<string, ToolDefinition>>()

/** What the gate is told of a tool; later where the tool's schema is a promise. */
export function definitionOf(name: string, tool: HostTool): ToolDefinition | Promise<ToolDefinition> {
  const known = read.get(tool)?.get(name)
  if (known !== undefined) return known
  const inputSchema = jsonSchemaOf(tool.inputSchema)
  const outputSchema = jsonSchemaOf(tool.outputSchema)
  if (inputSchema instanceof Promise || outputSchema instanceof Promise) {
    return Promise.all([inputSchema, outputSchema]).then(([input, output]) =>
      keep(tool, describe(name, tool, input, output)),
    )
  }
  return keep(tool, describe(name, tool, inputSchema, outputSchema))
}

/**
 * Did this definition come over a wire? Dynamic tools and everything that `@ai-sdk/mcp` made count so: what they say of
 * themselves is a hint, never the operator's word (I8).
 */
export function isThirdParty(tool: HostTool): boolean {
  return (
    tool.type === 'dynamic' || Object.hasOwn(tool, '_meta') || typeof member(tool.metadata, 'clientName') === 'string'
  )
}

function describe(
  name: string,
  tool: HostTool,
  inputSchema: JsonSchema | undefined,
  outputSchema: JsonSchema | undefined,
): ToolDefinition {
  const thirdParty = isThirdParty(tool)
  const annotations = thirdParty ? annotationsOf(tool) : undefined
  const declared = thirdParty ? undefined : declaredIn(tool.metadata)
  return {
    name,
    origin: thirdParty ? 'third-party' : 'own',
    ...(typeof tool.title === 'string' ? { title: tool.title } : {}),
    ...(typeof tool.description === 'string' ? { description: tool.description } : {}),
    // A caller of other tools lists them in its description, so that text changes with its surroundings.
    ...(typeof tool.description === 'function' || tool.experimental_toolCaller !== undefined
      ? { dynamicDescription: true }
      : {}),
    ...(inputSchema === undefined ? {} : { inputSchema }),
    ...(outputSchema === undefined ? {} : { outputSchema }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(declared === undefined ? {} : { declared }),
  }
}

// UNTRUSTED: what a server says of its own tool.
function annotationsOf(tool: HostTool): ToolAnnotations | undefined {
  return annotationsIn(member(tool.metadata, 'annotations') ?? member(tool._meta, 'annotations'))
}

function keep(tool: HostTool, definition: ToolDefinition): ToolDefinition {
  const names = read.get(tool) ?? new Map<string, ToolDefinition>()
  read.set(tool, names.set(definition.name, definition))
  return definition
}
