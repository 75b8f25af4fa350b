import { wordsOf } from '../bytes/words.ts'
import type { Json, JsonSchema, ToolDefinition } from '../types.ts'

const DATABASES = new Set(['database', 'databases', 'db', 'dbs', 'warehouse'])

/**
 * Does this tool say that it takes SQL: by a word of its name, or by what one of its arguments is named or described as?
 *
 * UNTRUSTED: to say so can only raise what its calls argue.
 */
export function takesSql({ name, inputSchema }: ToolDefinition): boolean {
  return wordsOf(name).some((word) => word.includes('sql') || DATABASES.has(word)) || speaksOfSql(inputSchema)
}

function speaksOfSql(schema: JsonSchema | Json | undefined): boolean {
  if (typeof schema === 'string') return /sql/i.test(schema)
  if (typeof schema !== 'object' || schema === null) return false
  return Object.entries(schema).some(([name, value]) => /sql/i.test(name) || speaksOfSql(value))
}
