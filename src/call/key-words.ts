/** The words of an argument's or tool's name: `destinationPath`, `destination_path` and `DESTINATION-PATH` are two. */
export function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])/g, '$1$3 $2$4')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
}

/**
 * Does a name hold one of these words? Answers are remembered per name, since a tool's argument names come again with
 * every call; names may be the model's, so only so many are kept.
 */
export function namedBy(words: ReadonlySet<string>): (name: string) => boolean {
  const answers = new Map<string, boolean>()
  return (name) => {
    const known = answers.get(name)
    if (known !== undefined) return known
    const answer = wordsOf(name).some((word) => words.has(word))
    if (answers.size < MOST_NAMES && name.length <= LONGEST_NAME) answers.set(name, answer)
    return answer
  }
}

const MOST_NAMES = 1_000
const LONGEST_NAME = 128
