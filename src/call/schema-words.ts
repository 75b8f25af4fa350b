import { isObject } from '../bytes/json.ts'
import type { Json, ToolDefinition } from '../types.ts'
import { isSteady } from './pattern-cost.ts'

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

/** Keywords whose value is data and not a schema; no `$ref` reaches into them. */
const DATA_WORDS = new Set(['const', 'default', 'enum'])

/** Keywords whose members are schemas, under names of the author's: a property may be named `default` or `pattern`. */
const SCHEMAS_BY_NAME = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependencies',
])

/** What `type` can say. Another name fits nothing, and a refusal would repeat it for each element. */
const TYPES = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'])

/** How much of a constant a refusal may repeat; characters. */
const LONGEST_SHOWN = 160

/**
 * A schema without the words by which one call could hold up the gate: slow formats, and of a third party the patterns that
 * are not sure to be done in linear time. An own tool's are its programmer's. Without `repeats`, `uniqueItems` is left out too.
 *
 * UNTRUSTED when the tool is a third party's. What is left out is not checked here: the tool still checks it itself, and
 * policies read the argument as it is. Below `not` and `oneOf`, leaving out refuses what the tool might have taken.
 */
export function withoutCostlyWords(schema: Json, origin: ToolDefinition['origin'], repeats: 'repeats' | 'none'): Json {
  if (Array.isArray(schema)) return schema.map((each) => withoutCostlyWords(each, origin, repeats))
  if (!isObject(schema)) return schema
  const isCostly = (pattern: string): boolean => origin !== 'own' && !isSteady(pattern)
  const kept = new Map(Object.entries(schema))
  for (const [word, value] of kept) {
    if (DATA_WORDS.has(word)) continue
    // The library takes a list of one text for that text.
    if (word === 'format' && !(typeof value === 'string' && CHEAP_FORMATS.has(value))) kept.delete(word)
    // The library compares each element with each other one.
    else if (word === 'uniqueItems' && repeats === 'none') kept.delete(word)
    else if (word === 'pattern' && (typeof value !== 'string' || isCostly(value))) kept.delete(word)
    else if (word === 'type' && Array.isArray(value)) kept.set(word, knownTypes(value))
    else if (SCHEMAS_BY_NAME.has(word) && isObject(value)) {
      const members = Object.entries(value).map(
        ([name, each]) => [name, withoutCostlyWords(each, origin, repeats)] as const,
      )
      const named = Object.fromEntries(members)
      // To the library, what `dependencies` holds is also a schema, which a `$ref` may name.
      kept.set(word, word === 'dependencies' && origin !== 'own' ? withoutCostlyWords(named, origin, repeats) : named)
    } else kept.set(word, withoutCostlyWords(value, origin, repeats))
  }
  const named = kept.get('patternProperties')
  if (isObject(named) && Object.keys(named).some(isCostly)) {
    kept.set('patternProperties', Object.fromEntries(Object.entries(named).filter(([pattern]) => !isCostly(pattern))))
    // They are about what no pattern names, which nobody knows any more.
    kept.delete('additionalProperties')
    kept.delete('unevaluatedProperties')
  }
  return withShortQuotes(kept)
}

/** The library quotes `enum` and `const` in whole in each miss. Long ones are checked as they are and quoted in part. */
function withShortQuotes(words: Map<string, Json>): Json {
  const [constant, list, all] = [words.get('const'), words.get('enum'), words.get('allOf')]
  if (Array.isArray(list)) words.set('enum', quotedInPart(list))
  if (constant !== undefined && JSON.stringify(constant).length > LONGEST_SHOWN) {
    words.delete('const')
    words.set('allOf', [...(Array.isArray(all) ? all : []), { enum: quotedInPart([constant]) }])
  }
  return Object.fromEntries(words)
}

function knownTypes(types: readonly Json[]): readonly Json[] {
  return [...new Set(types)].filter((type) => typeof type === 'string' && TYPES.has(type))
}

function quotedInPart(list: readonly Json[]): readonly Json[] {
  if (JSON.stringify(list).length <= LONGEST_SHOWN) return list
  const shown: Json[] = []
  let length = 0
  for (const each of list) {
    const text = typeof each === 'string' ? each : JSON.stringify(each)
    const isShort = typeof each !== 'string' && text.length <= LONGEST_SHOWN
    shown.push(isShort ? each : text.slice(0, LONGEST_SHOWN))
    length += text.length
    if (length > LONGEST_SHOWN) break
  }
  return Object.defineProperty([...list], 'toJSON', { value: () => shown })
}
