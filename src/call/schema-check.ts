import { dereference, type Schema, type SchemaDraft, validate } from '@cfworker/json-schema'
import { canonicalText } from '../bytes/canonical.ts'
import type { Json, JsonSchema, SchemaMiss, ToolDefinition } from '../types.ts'
import { describeMiss } from './schema-miss.ts'

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

/** Formats whose check takes time linear in the text. The library's `url`, which JSON Schema does not have, does not. */
const CHEAP_FORMATS = new Set([
  'date',
  'time',
  'date-time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uuid',
])

/** A repeated group that repeats or chooses inside: the shape that backtracks exponentially. */
const HUNGRY_GROUP = /\((?:[^()\\]|\\.)*[+*{|](?:[^()\\]|\\.)*\)\s*[+*{]|\)\)+[+*{]/

/** Keywords whose value is data and not a schema. */
const DATA_WORDS = new Set(['const', 'default', 'enum', 'examples'])

/**
 * Leaves out the words of a schema by which one string could hold up the gate: slow formats, and a third party's
 * patterns that may backtrack without end. The tool still checks those itself; policies read the argument as it is.
 */
function withoutCostlyWords(schema: Json, origin: ToolDefinition['origin']): Json {
  if (Array.isArray(schema)) return schema.map((each) => withoutCostlyWords(each, origin))
  if (typeof schema !== 'object' || schema === null) return schema
  const kept: { [word: string]: Json } = {}
  for (const [word, value] of Object.entries(schema)) {
    if (word === 'format' && typeof value === 'string' && !CHEAP_FORMATS.has(value)) continue
    if (word === 'pattern' && typeof value === 'string' && origin !== 'own' && HUNGRY_GROUP.test(value)) continue
    if (
      word === 'patternProperties' &&
      origin !== 'own' &&
      Object.keys(value ?? {}).some((each) => HUNGRY_GROUP.test(each))
    ) {
      continue
    }
    kept[word] = DATA_WORDS.has(word) ? value : withoutCostlyWords(value, origin)
  }
  return kept
}
