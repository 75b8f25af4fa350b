/** A call of a tool to try `holdpoint check` with, as a line for a shell. */
import { isObject } from '../../bytes/json.ts'
import { Contracts } from '../../call/contract.ts'
import type { Json, JsonObject } from '../../types.ts'
import { type OfferedTool, writtenName } from './judged.ts'

const DEEPEST = 8
const LONGEST_TEXT = 40
/** UNTRUSTED: a schema may hold any text. What ends the shell's quotes or hides from a reader is not printed. */
const HARMLESS = /^[^'\p{C}\p{Zl}\p{Zp}]{1,240}$/u

const FORMATS: ReadonlyMap<Json | undefined, string> = new Map([
  ['uri', 'https://example.com/'],
  ['url', 'https://example.com/'],
  ['email', 'you@example.com'],
  ['date', '2026-01-31'],
  ['date-time', '2026-01-31T12:00:00Z'],
  ['uuid', '00000000-0000-4000-8000-000000000000'],
])

/**
 * A call as `check` reads it, with no more arguments than the tool asks for; `undefined` when the schema does not show what
 * would fit. It was checked against the schema.
 */
export function exampleCall({ server, definition }: OfferedTool): string | undefined {
  const input = valueFor(definition.inputSchema ?? { type: 'object' }, DEEPEST) ?? {}
  const [contract] = new Contracts().register(server, [definition], new Map())
  if (contract === undefined || contract.check(input) !== undefined) return undefined
  const tool = writtenName(server, definition.name)
  const call = JSON.stringify({ tool, ...(isEmpty(input) ? {} : { input }), user: 'you' })
  return HARMLESS.test(call) ? call : undefined
}

/** The simplest value that a schema seems to take. Whether it does is for the schema's own check to say. */
function valueFor(schema: Json | undefined, depth: number): Json | undefined {
  if (!isObject(schema) || depth === 0) return undefined
  const [chosen] = Array.isArray(schema.enum) ? schema.enum : [schema.const ?? schema.default]
  if (chosen !== undefined) return chosen
  const [alternative] = [schema.anyOf, schema.oneOf].flatMap((list) => (Array.isArray(list) ? list : []))
  if (alternative !== undefined && schema.type === undefined) return valueFor(alternative, depth - 1)
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'string':
      return FORMATS.get(schema.format) ?? 'x'.repeat(Math.min(LONGEST_TEXT, Math.max(1, count(schema.minLength))))
    case 'number':
    case 'integer':
      return Math.max(1, count(schema.minimum))
    case 'boolean':
      return false
    case 'array':
      return count(schema.minItems) === 0 ? [] : [valueFor(schema.items, depth - 1) ?? null]
    case 'object':
      return required(schema, depth)
    default:
      return undefined
  }
}

function required({ properties, required }: JsonObject, depth: number): JsonObject {
  const schemas = new Map(isObject(properties) ? Object.entries(properties) : [])
  const names = (Array.isArray(required) ? required : []).filter((name) => typeof name === 'string')
  return Object.fromEntries(names.map((name) => [name, valueFor(schemas.get(name), depth - 1) ?? 'x']))
}

function count(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0
}

function isEmpty(value: Json): boolean {
  return isObject(value) && Object.keys(value).length === 0
}
