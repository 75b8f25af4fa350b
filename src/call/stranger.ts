/** What a third party's listing may not hold. UNTRUSTED: all of it came over a wire, whatever its type says. */
import { definitionDigest } from '../bytes/definition-digest.ts'
import type { ToolDefinition } from '../types.ts'

/** Why this definition cannot be a third party's; absent where it can. None may speak as the operator, nor leave the digest. */
export function strangenessOf(definition: ToolDefinition): string | undefined {
  const { title, description, inputSchema, outputSchema, annotations, origin, declared, dynamicDescription } =
    definition
  if (origin !== 'third-party' || declared !== undefined || dynamicDescription !== undefined)
    return 'says of itself what only your own code may say: pass what its server sent, as `third-party`, and no more'
  if (!isAbsentOr(isText, title) || !isAbsentOr(isText, description))
    return 'has a title or a description that is no text'
  if (!isAbsentOr(isSchema, inputSchema) || !isAbsentOr(isSchema, outputSchema)) return 'has a schema that is none'
  return isAbsentOr(isMapping, annotations) ? undefined : 'has annotations that are no object'
}

/** Names that are listed more than once, and not with the same definition. */
export function twoMeanings(definitions: readonly ToolDefinition[]): ReadonlySet<string> {
  const first = new Map<string, ToolDefinition>()
  const ambiguous = new Set<string>()
  for (const definition of definitions) {
    const known = first.get(definition.name)
    if (known === undefined) first.set(definition.name, definition)
    else if (!meansTheSame(known, definition)) ambiguous.add(definition.name)
  }
  return ambiguous
}

function meansTheSame(one: ToolDefinition, other: ToolDefinition): boolean {
  try {
    return definitionDigest(one) === definitionDigest(other)
  } catch {
    // Without a canonical form there is no saying so.
    return false
  }
}

function isAbsentOr(holds: (value: unknown) => boolean, value: unknown): boolean {
  return value === undefined || holds(value)
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isSchema(value: unknown): boolean {
  return typeof value === 'boolean' || isMapping(value)
}

function isMapping(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
