import { diffArrays } from 'diff'

/** More members than a person compares line by line stay one text. */
const MOST_LINES = 200

/**
 * The text of a call's arguments, one member a line. Nothing is left out and nothing is added but the ends of lines: the lines,
 * joined by commas and in braces again, are the text.
 *
 * @param text JSON text without blanks between its members, as canonical JSON has none
 */
export function argumentLines(text: string): readonly string[] {
  if (!text.startsWith('{') || !text.endsWith('}')) return [text]
  const lines = membersOf(text.slice(1, -1))
  return lines.length > MOST_LINES ? [text] : lines
}

/** Cut at commas that stand in no string and in no inner value. */
function membersOf(inner: string): readonly string[] {
  const members: string[] = []
  let [from, depth] = [0, 0]
  for (const { 0: token, index } of inner.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},]/g)) {
    if (token === '{' || token === '[') depth += 1
    if (token === '}' || token === ']') depth -= 1
    if (token !== ',' || depth !== 0) continue
    members.push(inner.slice(from, index))
    from = index + 1
  }
  return [...members, inner.slice(from)].filter((member) => member !== '')
}

/** One line of a comparison. */
export interface ComparedLine {
  readonly kind: 'same' | 'added' | 'removed'
  readonly text: string
}

/** What differs between the arguments that were approved before and those that are asked about now. */
export function comparedLines(before: string, now: string): readonly ComparedLine[] {
  return diffArrays([...argumentLines(before)], [...argumentLines(now)]).flatMap(({ added, removed, value }) =>
    value.map((text): ComparedLine => ({ kind: added ? 'added' : removed ? 'removed' : 'same', text })),
  )
}

/** What a call was asked with, as text: what stands in a request where there is one, and otherwise what the chat has. */
export function attemptedText(input: unknown, argumentsText?: string): string | undefined {
  if (argumentsText !== undefined) return argumentsText
  try {
    return JSON.stringify(input)
  } catch {
    return undefined
  }
}
