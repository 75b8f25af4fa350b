/**
 * Arguments as a person can take them in: hostile characters visible, and runs counted.
 *
 * UNTRUSTED: a thousand blanks or line breaks push whatever stands before them off the screen, and blanks that are counted
 * out draw lines that look like ours.
 */
import { visible } from './visible.ts'

/** Blanks in a row, or one to four characters again and again. */
const RUN = / {4,}|(.{1,4}?)\1{9,}/gsu
/** A shorter repetition is left as it is: a long number has zeros in a row too. */
const SHORTEST_RUN = 40
/** What our own lines are drawn with. */
const OURS = /[│┆]/gu

/** Nothing is left out: each run becomes its length and what it repeats, in the brackets that no argument can write. */
export function legible(text: string): string {
  let seen = ''
  let from = 0
  for (const { 0: run, 1: unit, index } of text.matchAll(RUN)) {
    if (unit !== undefined && run.length < SHORTEST_RUN) continue
    const counted = unit === undefined ? `${run.length} blanks` : `${run.length / unit.length} × ${inside(unit)}`
    seen += `${marked(text.slice(from, index))}⟨${counted}⟩`
    from = index + run.length
  }
  return seen + marked(text.slice(from))
}

/** Names and reasons come from outside too. One that does not fit is said to be cut. */
export function brief(text: string, most = 200): string {
  const seen = [...legible(text)]
  return seen.length <= most ? seen.join('') : `${seen.slice(0, most).join('')}… (cut)`
}

function marked(text: string): string {
  return visible(text).replace(OURS, (line) => `⟨${line === '│' ? 'U+2502' : 'U+2506'}⟩`)
}

/** What repeats, inside a mark that has brackets of its own. */
function inside(unit: string): string {
  return marked(unit).replaceAll('⟨', '‹').replaceAll('⟩', '›')
}
