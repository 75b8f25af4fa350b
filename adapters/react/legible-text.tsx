import type { ReactElement, ReactNode } from 'react'
import { legible } from '../../src/bytes/legible.ts'

/** What is written from right to left: letters of such scripts, with the blanks and points between them. */
const RIGHT_TO_LEFT = '[\\u0590-\\u08ff\\ufb1d-\\ufdff\\ufe70-\\ufefc\\u{10800}-\\u{10fff}\\u{1e800}-\\u{1efff}]'
const PIECES = new RegExp(`(⟨[^⟩]*⟩)|(${RIGHT_TO_LEFT}+(?:[ .,!?'’-]{1,3}${RIGHT_TO_LEFT}+)*)`, 'gu')

/**
 * Text from outside as a person can take it in: hidden and reordering characters are visible marks, and nothing in it is markup.
 * What is written from right to left is so within itself alone: figures and signs beside it stand where they stand in the text.
 *
 * UNTRUSTED: a model or a stranger's server wrote it.
 */
export function LegibleText({ text }: { readonly text: string }): ReactElement {
  return <bdi dir="ltr">{pieces(legible(text))}</bdi>
}

function pieces(seen: string): readonly ReactNode[] {
  const found: ReactNode[] = []
  let from = 0
  for (const { 0: piece, 1: mark, index } of seen.matchAll(PIECES)) {
    found.push(seen.slice(from, index))
    if (mark === undefined)
      found.push(
        <bdi key={index} dir="rtl">
          {piece}
        </bdi>,
      )
    else
      found.push(
        <mark key={index} className="hp-mark">
          {piece}
        </mark>,
      )
    from = index + piece.length
  }
  return [...found, seen.slice(from)]
}
