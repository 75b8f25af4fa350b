/** Names come again with every call, so their words are kept; a model can invent names, so only this many are. */
const MOST_NAMES = 2_000
const LONGEST_NAME = 128
const known = new Map<string, readonly string[]>()

/** The words of a name, in lower case: `destinationPath`, `destination_path` and `DESTINATION-PATH` have the same two. */
export function wordsOf(name: string): readonly string[] {
  const kept = known.get(name)
  if (kept !== undefined) return kept
  const words = name
    .replace(/([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])/g, '$1$3 $2$4')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  if (known.size < MOST_NAMES && name.length <= LONGEST_NAME) known.set(name, words)
  return words
}

/** Does a name hold one of these words? */
export function namedBy(words: ReadonlySet<string>): (name: string) => boolean {
  return (name) => wordsOf(name).some((word) => words.has(word))
}
