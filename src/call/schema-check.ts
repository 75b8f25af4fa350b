import { dereference, type Schema, type SchemaDraft, validate } from '@cfworker/json-schema'
import { canonicalText } from '../bytes/canonical.ts'
import type { Json, JsonSchema, SchemaMiss, ToolDefinition } from '../types.ts'
import { describeMiss } from './schema-miss.ts'
import { withoutCostlyWords } from './schema-words.ts'

/** `undefined` when the arguments conform. */
export type SchemaCheck = (input: Json) => SchemaMiss | undefined

/** How many `$ref`s one check may follow: a few that refer to each other can otherwise take exponential time. */
const MOST_REFERENCES = 20_000

/**
 * Makes a check of a tool's input schema (drafts 4 to 2020-12; 2020-12 where none is named).
 *
 * UNTRUSTED: the schema may be a third party's. It is interpreted, never turned into code; remote `$ref`s are unknown,
 * never fetched; one that is unusable, circular or too costly lets no arguments through, instead of all.
 */
export function compileSchema(schema: JsonSchema | undefined, origin: ToolDefinition['origin']): SchemaCheck {
  if (schema === undefined || schema === true) return () => undefined
  if (schema === false) return () => ({ path: '', requires: 'is not possible: the tool takes no arguments' })
  try {
    return checkOf(schema, origin)
  } catch {
    return () => UNUSABLE
  }
}

const UNUSABLE: SchemaMiss = { path: '', requires: "cannot be checked: the tool's input schema is unusable" }

function checkOf(schema: JsonSchema, origin: ToolDefinition['origin']): SchemaCheck {
  // The library marks the schema objects that it reads, so it gets a copy of its own.
  const sound = withoutCostlyWords(JSON.parse(canonicalText(schema)), origin) as Schema
  const draft = draftOf(sound)
  let references = 0
  const known = new Proxy(dereference(sound), {
    get(schemas, uri) {
      references += 1
      if (references > MOST_REFERENCES || typeof uri !== 'string') throw new Error('too many references')
      return schemas[uri]
    },
  })
  return (input) => {
    references = 0
    try {
      const { valid, errors } = validate(input, sound, draft, known, false)
      return valid === true ? undefined : describeMiss(errors)
    } catch {
      return UNUSABLE
    }
  }
}

function draftOf({ $schema }: Schema): SchemaDraft {
  if (typeof $schema !== 'string') return '2020-12'
  if ($schema.includes('draft-04')) return '4'
  if ($schema.includes('draft-06') || $schema.includes('draft-07')) return '7'
  return $schema.includes('2019-09') ? '2019-09' : '2020-12'
}
