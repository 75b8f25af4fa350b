import { wordsOf } from '../bytes/words.ts'

const DATABASES = new Set(['database', 'databases', 'db', 'dbs', 'warehouse'])

/**
 * Does a tool's name say that it may take SQL?
 *
 * UNTRUSTED: to say so can only raise what its calls argue.
 */
export function namesADatabase(name: string): boolean {
  return wordsOf(name).some((word) => word.includes('sql') || DATABASES.has(word))
}
