/** Reads tools as others write them down: a line each, one tool, or a whole `tools/list` answer. */
import { z } from 'zod'
import type { JsonSchema, ToolDefinition } from '../types.ts'
import { UnusableInput } from './exit.ts'
import { inputName, readInput } from './input.ts'

/** Whatever is below came out of `JSON.parse`, at any depth: the contract looks at it, and refuses what is too deep. */
const anyObject = z.record(z.string(), z.unknown())
const mcpTool = z.looseObject({
  name: z.string(),
  title: z.string().nullish(),
  description: z.string().nullish(),
  inputSchema: z.union([anyObject, z.boolean()]).nullish(),
  outputSchema: z.union([anyObject, z.boolean()]).nullish(),
  annotations: anyObject.nullish(),
})
const named = z.looseObject({ id: z.string().optional(), server: z.string().optional(), tool: mcpTool })
const listed = z.looseObject({ tools: z.array(z.unknown()) })
const answer = z.looseObject({ result: listed })

/** One tool of a file, with the place where it stands. */
export interface ListedTool {
  /** The line's own `id`, or the tool's name. */
  readonly id: string
  readonly server: string | undefined
  readonly definition: ToolDefinition
  /** `file:line`, or `file` for a list that is one JSON value. */
  readonly at: string
}

/**
 * Every tool in a file of JSON lines (`{"tool": {…}}` or a bare MCP tool), or in one JSON value: a tool, a list of tools,
 * `{"tools": […]}`, or a JSON-RPC answer around it.
 *
 * @param file a path, or `-` for stdin
 * @throws UnusableInput naming file, line and what was expected
 */
export async function toolsIn(file: string): Promise<readonly ListedTool[]> {
  const name = inputName(file)
  const text = new TextDecoder().decode(await readInput(file))
  const whole = parsed(text)
  if (whole !== undefined) return [...toolsOf(whole.value, name)]
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const at = `${name}:${index + 1}`
    const value = parsed(line)
    if (value === undefined) throw new UnusableInput(`${at}: is not JSON: expected one tool a line, or one JSON list`)
    return [...toolsOf(value.value, at)]
  })
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/**
 * Every tool in a value: a tool, a list of tools, `{"tools": […]}`, or a JSON-RPC answer around it.
 *
 * @param at where the value stands, for errors
 * @throws UnusableInput naming the place and what was expected
 */
export function* toolsOf(value: unknown, at: string): Generator<ListedTool> {
  const list = Array.isArray(value) ? value : listOf(value)
  if (list === undefined) {
    yield toolOf(value, at)
    return
  }
  for (const [index, each] of list.entries()) yield toolOf(each, `${at}, tool ${index + 1}`)
}

function listOf(value: unknown): readonly unknown[] | undefined {
  const bare = listed.safeParse(value)
  if (bare.success) return bare.data.tools
  const wrapped = answer.safeParse(value)
  return wrapped.success ? wrapped.data.result.tools : undefined
}

/** UNTRUSTED: what a server says of its own tools. */
function toolOf(value: unknown, at: string): ListedTool {
  const outer = named.safeParse(value)
  const inner = outer.success ? { success: true as const, data: outer.data.tool } : mcpTool.safeParse(value)
  if (!inner.success) {
    throw new UnusableInput(`${at}: is no tool: expected {"name": …, "inputSchema": …} or {"tool": {…}}`)
  }
  const { name, title, description, inputSchema, outputSchema, annotations } = inner.data
  return {
    id: (outer.success ? outer.data.id : undefined) ?? name,
    server: outer.success ? outer.data.server : undefined,
    at,
    definition: {
      name,
      origin: 'third-party',
      ...(title == null ? {} : { title }),
      ...(description == null ? {} : { description }),
      ...(inputSchema == null ? {} : { inputSchema: inputSchema as JsonSchema }),
      ...(outputSchema == null ? {} : { outputSchema: outputSchema as JsonSchema }),
      ...(annotations == null ? {} : { annotations }),
    },
  }
}
