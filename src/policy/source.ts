import type { PolicyText } from './load.ts'

/** A stretch of a policy file that holds one policy, found without Cedar so that every policy has its own line. */
export interface SourcePart {
  /** From the first annotation or keyword to the closing `;`. */
  readonly text: string
  /** UTF-16 offset of the text in its file. */
  readonly offset: number
}

/**
 * Splits a policy file at the `;` that close its policies. Comments and strings may hold a `;`; Cedar has no other use for
 * one, and no block comments.
 */
export function splitPolicies(file: string): readonly SourcePart[] {
  const parts: SourcePart[] = []
  const code = blankLiterals(file)
  let from = 0
  for (let end = code.indexOf(';'); end !== -1; end = code.indexOf(';', from)) {
    const offset = from + code.slice(from).search(/\S/)
    parts.push({ text: file.slice(offset, end + 1), offset })
    from = end + 1
  }
  return parts
}

/** The same text with the inside of comments and strings blanked; every other character keeps its offset. */
export function blankLiterals(text: string): string {
  return text.replaceAll(/"(?:[^"\\]|\\[\s\S])*"|\/\/[^\n\r]*/g, (literal) =>
    literal.startsWith('"') ? `"${' '.repeat(literal.length - 2)}"` : ' '.repeat(literal.length),
  )
}

/** Where a UTF-16 offset of a policy text stands: `file:line:column`, or where the reason of that line was written. */
export function placeIn({ path, text, places }: PolicyText, offset: number): string {
  const before = text.slice(0, offset).split('\n')
  const place = places?.[before.length - 1]
  return place ?? `${path}:${before.length}:${(before.at(-1) ?? '').length + 1}`
}

/** Cedar counts UTF-8 bytes; JavaScript counts UTF-16 units. */
export function offsetOfByte(text: string, byte: number): number {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, byte)).length
}
