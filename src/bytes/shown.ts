/**
 * Text from outside as a refusal may quote it: controls, formatting and unpaired characters as `\\u{…}`, so that there is no
 * line break, no escape sequence and no hidden or reversed text; at most `most` characters.
 */
export function shown(text: string, most: number): string {
  // What is beyond twice the length never reaches a reader, so it is not looked at either.
  return shorten(visible(text.slice(0, most * 2)), most)
}

function visible(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029\u115f\u1160\u3164\uffa0]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

function shorten(text: string, most: number): string {
  if (text.length <= most) return text
  const kept = text.slice(0, most - 1)
  // Never half a character.
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`
}
