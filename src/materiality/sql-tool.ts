const DATABASES = new Set(['database', 'databases', 'db', 'dbs', 'warehouse'])

/**
 * Does a tool's name say that it may take SQL?
 *
 * UNTRUSTED: to say so can only raise what its calls argue.
 */
export function namesADatabase(words: readonly string[]): boolean {
  return words.some((word) => word.includes('sql') || DATABASES.has(word))
}
