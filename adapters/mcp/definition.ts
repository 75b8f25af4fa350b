import type { JsonSchema, Materiality, Surface, ToolAnnotations, ToolDefinition } from '../../src/index.ts'
import { TOOL_KEY } from './keys.ts'
import { isObject, type Message, objectIn } from './message.ts'

const MATERIALITIES: ReadonlyMap<unknown, Materiality> = new Map(
  (['low', 'medium', 'high'] satisfies readonly Materiality[]).map((tier) => [tier, tier]),
)
const HINTS = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const

/** Whose tools these are: the operator's own code, or somebody's over a wire. */
export type Origin = ToolDefinition['origin']

/**
 * One entry of `tools/list` as the gate learns it; `undefined` for what has no name. UNTRUSTED where a third party wrote it:
 * what it says of itself can only raise its materiality (I8).
 */
export function definitionOf(listed: unknown, origin: Origin): ToolDefinition | undefined {
  if (!isObject(listed) || typeof listed['name'] !== 'string') return undefined
  const { name, title, description, inputSchema, outputSchema } = listed
  const declared = origin === 'own' ? declaredIn(objectIn(objectIn(listed, '_meta'), TOOL_KEY)) : undefined
  return {
    name,
    origin,
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    ...(isSchema(inputSchema) ? { inputSchema } : {}),
    ...(isSchema(outputSchema) ? { outputSchema } : {}),
    ...(isObject(listed['annotations']) ? { annotations: hintsIn(listed['annotations']) } : {}),
    ...(declared === undefined ? {} : { declared }),
  }
}

function hintsIn(said: Message): ToolAnnotations {
  const { title } = said
  const hints = HINTS.flatMap((hint) => (typeof said[hint] === 'boolean' ? [[hint, said[hint]]] : []))
  return { ...(typeof title === 'string' ? { title } : {}), ...Object.fromEntries(hints) }
}

/** The operator's own word, on the operator's own tool: `_meta: { 'dev.holdpoint/tool': { materiality: 'high' } }`. */
function declaredIn({ materiality, surface }: Message): ToolDefinition['declared'] {
  const tier = MATERIALITIES.get(materiality)
  if (tier === undefined) return undefined
  return { materiality: tier, ...(typeof surface === 'string' ? { surface: surface as Surface } : {}) }
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'boolean' || isObject(value)
}
