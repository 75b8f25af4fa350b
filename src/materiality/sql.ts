import type { Materiality } from '../types.ts'

/** Openings of a statement, so that a search for "drop earrings" is none. */
const STATEMENT =
  /^[\s(;]*(?:select|with|insert|update|delete|merge|create|alter|drop|truncate|grant|revoke|call|exec|execute|copy|explain|show|begin)\s/i
const BLANK = /\/\*[\s\S]*?\*\/|--[^\n]*/g

const DESTROYS =
  /\b(?:delete|drop|truncate|alter|grant|revoke|exec|execute|call|copy|attach|load_file|outfile|dumpfile|shutdown|kill|pragma|vacuum)\b/i
const WRITES = /\b(?:insert|update|merge|upsert|replace|create|into|set)\b/i

/**
 * What an SQL text argues, or `undefined` where it only reads or is no SQL. Words count wherever they stand, inside a
 * literal or a comment too: engines differ in what they run,
 * and a false alarm costs a question.
 *
 * UNTRUSTED: what a model wrote.
 */
export function fromSql(text: string): Materiality | undefined {
  if (!STATEMENT.test(text.replace(BLANK, ' '))) return undefined
  if (DESTROYS.test(text)) return 'high'
  return WRITES.test(text) ? 'medium' : undefined
}
