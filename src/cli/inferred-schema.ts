import type { LoadedPolicy } from '../policy/load.ts'
import { mayConcern } from '../policy/scope.ts'
import { type Use, useOf, usesOf } from '../policy/uses.ts'
import type { Json, JsonSchema } from '../types.ts'

/**
 * The input schema that some arguments suggest, where nobody wrote one down. A guess: every member that is there counts as
 * required, and nothing is known of others. Nobody can see whether a tool that was given a whole number would take a fraction
 * as well; it is taken for what policies about that tool take it for, since otherwise they would not fit it.
 *
 * @param tool `server/tool`
 */
export function inferredSchema(input: Json, policies: readonly LoadedPolicy[], tool: string): JsonSchema {
  const uses = usesOf(policies.filter((policy) => mayConcern(policy, tool)))
  return schemaOf(input, useOf(uses, 'arguments'))
}

function schemaOf(value: Json, use: Use | undefined): JsonSchema {
  if (value === null) return {}
  if (Array.isArray(value)) {
    const [first]: readonly Json[] = value
    return { type: 'array', items: first === undefined ? {} : schemaOf(first, elementUse(use)) }
  }
  switch (typeof value) {
    case 'object':
      return {
        type: 'object',
        properties: Object.fromEntries(
          Object.entries(value).map(([name, member]) => [name, schemaOf(member, useOf(use, name))]),
        ),
        required: Object.keys(value),
        additionalProperties: true,
      }
    case 'number':
      return { type: Number.isInteger(value) && use?.guess?.type === 'Long' ? 'integer' : 'number' }
    default:
      return { type: typeof value }
  }
}

/** What policies take the elements of a list for, as far as they say. */
function elementUse(use: Use | undefined): Use | undefined {
  return use?.guess?.type === 'Set' ? { guess: use.guess.element, members: new Map() } : undefined
}
