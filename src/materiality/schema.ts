import { pointerToken } from '../bytes/pointer.ts'
import { wordsOf } from '../bytes/words.ts'
import type { Evidence, Json, JsonSchema, Materiality, Surface } from '../types.ts'

type Reading = readonly [argues: Materiality, surface: Surface, because: string]

const RUNS: Reading = ['high', 'code-execution', 'takes something to run']
const READINGS: ReadonlyMap<string, Reading> = new Map([
  ['command', RUNS],
  ['commands', RUNS],
  ['cmd', RUNS],
  ['shell', RUNS],
  ['script', RUNS],
  ['sql', ['medium', 'internal-write', 'takes a database statement']],
  ['amount', ['medium', 'financial', 'takes an amount']],
  ['recipients', ['medium', 'communication', 'takes recipients']],
  ['bcc', ['medium', 'communication', 'takes recipients']],
])

const DEEPEST = 4
const MOST_ARGUMENTS = 500

/**
 * What the names of a tool's arguments argue. Raises only: a schema that shows nothing has said nothing.
 *
 * UNTRUSTED: read as data, to a bounded depth; `$ref`s are not followed.
 */
export function fromSchema(schema: JsonSchema | undefined): readonly Evidence[] {
  const evidence: Evidence[] = []
  let left = MOST_ARGUMENTS
  const visit = (value: Json | undefined, pointer: string, depth: number): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > DEEPEST) return
    const { properties, items } = value as { readonly properties?: Json; readonly items?: Json }
    if (typeof properties === 'object' && properties !== null && !Array.isArray(properties)) {
      for (const [name, member] of Object.entries(properties)) {
        left -= 1
        if (left < 0) return
        const at = `${pointer}/${pointerToken(name)}`
        evidence.push(...fromArgumentName(name, at))
        visit(member, at, depth + 1)
      }
    }
    visit(items, pointer, depth + 1)
  }
  visit(schema, '', 0)
  return evidence
}

/** The whole name must be the word: `country_code` is no code, `command_id` no command. */
function fromArgumentName(name: string, at: string): readonly Evidence[] {
  const reading = READINGS.get(wordsOf(name).join(' '))
  if (reading === undefined) return []
  const [argues, surface, because] = reading
  return [{ source: 'schema', argues, surface, at, because: `the tool ${because}` }]
}
