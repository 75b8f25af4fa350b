import { pointerToken } from '../bytes/pointer.ts'
import { wordsOf } from '../bytes/words.ts'
import type { Evidence, Json, JsonObject, JsonSchema, Materiality, Surface } from '../types.ts'

/** What an argument's name argues, whatever its value. */
export type Reading = readonly [argues: Materiality, surface: Surface, because: string]

const RUNS: Reading = ['high', 'code-execution', 'something to run']
const READINGS: ReadonlyMap<string, Reading> = new Map([
  ['command', RUNS],
  ['commands', RUNS],
  ['cmd', RUNS],
  ['shell', RUNS],
  ['script', RUNS],
  ['sql', ['medium', 'internal-write', 'a database statement']],
  ['amount', ['medium', 'financial', 'an amount']],
  ['recipients', ['medium', 'communication', 'recipients']],
  ['bcc', ['medium', 'communication', 'recipients']],
])

/** Keywords that hold further schemas of the same value. */
const COMBINES = ['allOf', 'anyOf', 'oneOf', 'then', 'else', 'prefixItems', 'additionalProperties']
const DEEPEST = 4
const MOST_ARGUMENTS = 500

/** The whole name must be the word: `country_code` is no code, `command_id` no command. */
export function readingOf(name: string): Reading | undefined {
  return READINGS.get(wordsOf(name).join(' '))
}

/**
 * What the names of a tool's arguments argue. Raises only: a schema that shows nothing has said nothing, and the names
 * that a call then gives are read like these.
 *
 * UNTRUSTED: read as data, to a bounded depth; `$ref`s are not followed.
 */
export function fromSchema(schema: JsonSchema | undefined): readonly Evidence[] {
  const evidence: Evidence[] = []
  let left = MOST_ARGUMENTS
  const visit = (value: Json | undefined, pointer: string, depth: number): void => {
    if (!isObject(value) || depth > DEEPEST) return
    const { properties, items } = value
    if (isObject(properties)) {
      for (const [name, member] of Object.entries(properties)) {
        left -= 1
        if (left < 0) return
        const at = `${pointer}/${pointerToken(name)}`
        evidence.push(...fromArgumentName(name, at))
        visit(member, at, depth + 1)
      }
    }
    visit(items, pointer, depth + 1)
    for (const word of COMBINES) {
      const parts = value[word]
      for (const part of Array.isArray(parts) ? parts : [parts]) visit(part, pointer, depth + 1)
    }
  }
  visit(schema, '', 0)
  return evidence
}

function fromArgumentName(name: string, at: string): readonly Evidence[] {
  const reading = readingOf(name)
  if (reading === undefined) return []
  const [argues, surface, because] = reading
  return [{ source: 'schema', argues, surface, at, because: `the tool takes ${because}` }]
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
