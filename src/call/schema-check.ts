import { dereference, type OutputUnit, type Schema, type SchemaDraft, validate } from '@cfworker/json-schema'
import { canonicalText } from '../bytes/canonical.ts'
import type { Json, JsonSchema, SchemaMiss, ToolDefinition } from '../types.ts'
import { SchemaMeter } from './schema-meter.ts'
import { describeMiss } from './schema-miss.ts'
import { withoutCostlyWords } from './schema-words.ts'
import { isCheapToCompare, repeatIn, type UniqueLists, uniqueLists } from './unique-items.ts'

/** `undefined` when the arguments conform. */
export type SchemaCheck = (input: Json) => SchemaMiss | undefined

/** How many `$ref`s one check may follow: a few that refer to each other can otherwise take exponential time. */
const MOST_REFERENCES = 20_000

/** How much work a check of a third party's schema may be, in units of the meter: about half a second. */
const MOST_WORK = 2 ** 26
/** And a second look, for better words about a miss. */
const MOST_WORK_FOR_WORDS = 2 ** 20

/** Of how many misses the best is chosen, and how much text they may be together. */
const MOST_MISSES = 10_000
const MOST_MISS_TEXT = 4 * 1_048_576

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
    const lists = origin === 'own' ? uniqueLists(schema) : undefined
    return lists === undefined ? checkOf(schema, origin, 'none') : checkOfUnique(schema, lists)
  } catch {
    return () => UNUSABLE
  }
}

const UNUSABLE: SchemaMiss = { path: '', requires: "cannot be checked: the tool's input schema is unusable" }

/** Long lists are looked through for repeats by ourselves, short ones by the library. */
function checkOfUnique(schema: JsonSchema, lists: UniqueLists): SchemaCheck {
  const whole = checkOf(schema, 'own', 'repeats')
  const rest = checkOf(schema, 'own', 'none')
  return (input) => (isCheapToCompare(input) ? whole(input) : (rest(input) ?? repeatIn(input, lists)))
}

function checkOf(schema: JsonSchema, origin: ToolDefinition['origin'], repeats: 'repeats' | 'none'): SchemaCheck {
  // The library marks the schema objects that it reads, so it gets a copy of its own.
  const sound = withoutCostlyWords(JSON.parse(canonicalText(schema)), origin, repeats) as Schema
  const meter = new SchemaMeter(sound as Json)
  const draft = draftOf(sound)
  let references = 0
  const schemas = dereference(sound)
  meter.resolve(schemas)
  const known = new Proxy(schemas, {
    get(_, uri) {
      references += 1
      if (references > MOST_REFERENCES || typeof uri !== 'string') throw new Error('too many references')
      return schemas[uri]
    },
  })
  const missesOf = (input: Json, most: number, how: 'first' | 'all'): readonly OutputUnit[] => {
    references = 0
    meter.begin(input, most)
    const { valid, errors } = validate(input, sound, draft, known, how === 'first')
    return valid === true ? [] : errors
  }
  return (input) => {
    let misses: readonly OutputUnit[]
    try {
      misses = missesOf(input, origin === 'own' ? Number.POSITIVE_INFINITY : MOST_WORK, 'first')
    } catch {
      return UNUSABLE
    }
    if (misses.length === 0) return undefined
    try {
      misses = missesOf(input, MOST_WORK_FOR_WORDS, 'all')
    } catch {
      // The first miss has to do.
    }
    return describeMiss(few(misses))
  }
}

function few(misses: readonly OutputUnit[]): readonly OutputUnit[] {
  let text = 0
  const end = misses.findIndex(({ instanceLocation, keywordLocation, error }, index) => {
    text += instanceLocation.length + keywordLocation.length + error.length
    return index >= MOST_MISSES || text > MOST_MISS_TEXT
  })
  return end === -1 ? misses : misses.slice(0, end)
}

function draftOf({ $schema }: Schema): SchemaDraft {
  if (typeof $schema !== 'string') return '2020-12'
  if ($schema.includes('draft-04')) return '4'
  if ($schema.includes('draft-06') || $schema.includes('draft-07')) return '7'
  return $schema.includes('2019-09') ? '2019-09' : '2020-12'
}
