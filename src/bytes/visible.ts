/**
 * Makes hostile text visible before a person reads it.
 *
 * UNTRUSTED: tool names, arguments and messages come from a model or a stranger's server. A terminal obeys escape
 * sequences, reorders bidirectional text and draws nothing for zero-width characters; a person who is asked to say yes
 * must see all of them.
 */

// Everything that a terminal obeys, hides or reorders by: controls, formats, surrogates, unassigned and private code
// points, line and paragraph separators, every space but the plain one, the bracket that our own marks use, and
// combining marks that stand on nothing or pile up.
const HOSTILE =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u27e8\u27e9]|(?! )\p{Zs}|(?<![\p{L}\p{N}\p{M}])\p{M}|(?<=\p{M}{2})\p{M}/gu

/** How a marked character is drawn; identity without colour. */
export type Emphasis = (mark: string) => string

/**
 * Text that draws the same everywhere: each hostile character becomes `⟨U+202E⟩`, so that what is seen is what is there.
 *
 * @param emphasis draws the marks, so that they differ from text that imitates them
 */
export function visible(text: string, emphasis: Emphasis = (mark) => mark): string {
  return text.replace(HOSTILE, (character) => emphasis(`⟨${codePointName(character)}⟩`))
}

/** Enough for a finding with its place; what is longer was written to be in the way. */
const LONGEST_LINE = 4_000

/**
 * One line for a log or a person, whatever is in the text: nothing in it is obeyed, line breaks are marked like the rest, and
 * what is beyond 4000 characters is counted instead.
 */
export function visibleLine(text: string): string {
  const beyond = text.length - LONGEST_LINE
  return beyond > 0 ? `${visible(text.slice(0, LONGEST_LINE))} … and ${beyond} more characters` : visible(text)
}

function codePointName(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}
