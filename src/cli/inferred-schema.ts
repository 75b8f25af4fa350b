import type { Json, JsonSchema } from '../types.ts'

/** How a whole number among the arguments is meant: nobody can see whether the tool would take a fraction as well. */
export type NumberKind = 'number' | 'integer'

/**
 * The input schema that some arguments suggest, for a call that is only being asked about. A guess: every member that is there
 * counts as required, and nothing is known of others.
 */
export function inferredSchema(value: Json, whole: NumberKind): JsonSchema {
  if (value === null) return {}
  if (Array.isArray(value))
    return { type: 'array', items: value[0] === undefined ? {} : inferredSchema(value[0], whole) }
  switch (typeof value) {
    case 'object':
      return {
        type: 'object',
        properties: Object.fromEntries(
          Object.entries(value).map(([name, member]) => [name, inferredSchema(member, whole)]),
        ),
        required: Object.keys(value),
        additionalProperties: true,
      }
    case 'number':
      return { type: Number.isInteger(value) ? whole : 'number' }
    default:
      return { type: typeof value }
  }
}
