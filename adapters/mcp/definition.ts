import type { JsonSchema, Materiality, Surface, ToolAnnotations, ToolDefinition } from '../../src/index.ts'
import { TOOL_KEY } from './keys.ts'
import { isObject, type Message, objectIn, twinOf } from './message.ts'

const MATERIALITIES: ReadonlyMap<unknown, Materiality> = new Map(
  (['low', 'medium', 'high'] satisfies readonly Materiality[]).map((tier) => [tier, tier]),
)
const HINTS = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const
const TEXTS = ['title', 'description'] as const
const SCHEMAS = ['inputSchema', 'outputSchema'] as const
const MEMBERS = ['name', ...TEXTS, ...SCHEMAS, 'annotations', '_meta', 'icons', 'execution']

/** Of one tool, in characters of JSON: no model is told more, and no gate takes the time to read it. */
const LONGEST_TOOL = 1_048_576

/** Whose tools these are: the operator's own code, or somebody's over a wire. */
export type Origin = ToolDefinition['origin']

/**
 * One entry of `tools/list` as the gate learns it. UNTRUSTED where a third party wrote it: what it says of itself can only raise
 * its materiality (I8).
 *
 * @returns `undefined` for what another reader could take for another tool: without a name, with a member of the wrong type, or
 * one that differs from a known one only in case; nor is one read without end. INVARIANT I4: such a tool is learned by no gate and
 * shown to no model
 */
export function definitionOf(listed: unknown, origin: Origin): ToolDefinition | undefined {
  const tool = onTheWire(listed)
  if (!isObject(tool) || typeof tool['name'] !== 'string' || !isAsDeclared(tool)) return undefined
  const { name, annotations } = tool
  const declared = origin === 'own' ? declaredIn(objectIn(objectIn(tool, '_meta'), TOOL_KEY)) : undefined
  return {
    name,
    origin,
    ...only(tool, [...TEXTS, ...SCHEMAS]),
    ...(isObject(annotations) ? { annotations: only(annotations, ['title', ...HINTS]) as ToolAnnotations } : {}),
    ...(declared === undefined ? {} : { declared }),
  }
}

/** Do these two say the same, whatever the order of their members? What is too deep to be compared is like nothing else. */
export function isSame(one: ToolDefinition, other: ToolDefinition): boolean {
  try {
    return one === other || JSON.stringify(one, inOrder) === JSON.stringify(other, inOrder)
  } catch {
    return false
  }
}

/** `null` says nothing, and some languages write it for what is not there. */
function isAsDeclared(tool: Message): boolean {
  const { annotations } = tool
  const isText = (value: unknown) => value == null || typeof value === 'string'
  const isHint = (value: unknown) => value == null || typeof value === 'boolean'
  if (twinOf(tool, MEMBERS) !== undefined) return false
  if (!TEXTS.every((name) => isText(tool[name]))) return false
  if (!SCHEMAS.every((name) => tool[name] == null || isSchema(tool[name]))) return false
  if (annotations == null) return true
  if (!isObject(annotations) || twinOf(annotations, ['title', ...HINTS]) !== undefined) return false
  return isText(annotations['title']) && HINTS.every((hint) => isHint(annotations[hint]))
}

function only(object: Message, names: readonly string[]): Message {
  return Object.fromEntries(names.flatMap((name) => (object[name] == null ? [] : [[name, object[name]]])))
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

/**
 * Between two parties in one process frames are objects, with members that no wire would carry. What no wire carries at all,
 * such as what is nested too deeply to be written, is `undefined`.
 */
function onTheWire(tool: unknown): unknown {
  try {
    const text = JSON.stringify(tool ?? null)
    return text.length > LONGEST_TOOL ? undefined : JSON.parse(text, withinDoubles)
  } catch {
    return undefined
  }
}

/**
 * Schemas that were made from 64-bit types have bounds such as 9223372036854775807, which no canonical form takes. No argument
 * beyond 2^53 - 1 is ever taken either, so the nearest bound that can be written means the same.
 */
function withinDoubles(_name: string, value: unknown): unknown {
  if (typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value)) return value
  return Math.sign(value) * Number.MAX_SAFE_INTEGER
}

function inOrder(_name: string, value: unknown): unknown {
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
    : value
}
