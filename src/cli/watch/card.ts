/** What a person sees before they say yes: the call exactly as it would run, and nothing that could imitate us. */

import { counted } from '../../bytes/counted.ts'
import { brief } from '../../bytes/legible.ts'
import type { ApprovalRecord } from '../../types.ts'
import type { Terminal } from '../terminal.ts'

const BORDER = '│ '
/** Stands before every line of the arguments in the question, so that none of them reads like a line of ours. */
const GUTTER = '┆ '
/** Lines that a screen keeps for the question and what was there before. */
const SPARED = 4
const FEWEST_LINES = 6

/**
 * The question about one call, a screen at a time: the very text whose digest the answer carries, and below it what is ours alone.
 *
 * INVARIANT I3: the arguments are the canonical text that was digested, every character of it; what a terminal would obey or
 * hide is drawn as a mark, and what repeats is counted. Every line of them stands behind our border and gutter, so that no
 * argument can draw a line of ours. A yes counts only on the last page: nobody agrees to what they were not shown.
 *
 * @returns one page or more
 */
export function cardOf(request: ApprovalRecord, terminal: Terminal, now: number): readonly string[] {
  const { style } = terminal
  const room = terminal.width - BORDER.length - 1
  const words = (text: string): readonly string[] => folded(text, room)
  const asked = request.question.split('\n').flatMap((line, index) => {
    if (line.startsWith(GUTTER))
      return folded(line.slice(GUTTER.length), room - GUTTER.length).map((part) => GUTTER + part)
    return words(line).map((part) => (index === 0 ? style('bold', part) : part))
  })
  const bytes = Buffer.byteLength(request.argumentsText)
  const foot = [
    ...(asked.some((line) => line.includes('⟨'))
      ? [
          '',
          ...words('careful: ⟨…⟩ stands for hidden characters, or for many in a row').map((line) =>
            style('yellow', line),
          ),
        ]
      : []),
    '',
    ...words(
      `${request.ref}${whereOf(request)}, arguments of ${counted(bytes, 'byte')}, open for another ${minutes(request.expiresAt - now)}`,
    ).map((line) => style('dim', line)),
  ]
  return paged([...asked, ...foot], Math.max(terminal.height - SPARED, FEWEST_LINES)).map((page) =>
    page.map((line) => BORDER + line.replace(/⟨[^⟩]*⟩/g, (mark) => style('inverse', mark))).join('\n'),
  )
}

/** The question itself; it repeats what would run, because long arguments push the head of the card off the screen. */
export function questionOf({ tool }: ApprovalRecord, terminal: Terminal): string {
  return `${terminal.style('bold', `Run ${brief(tool)} once, with exactly these arguments?`)} [y/n] `
}

/** What stands below a page that is not the last. */
export function turnOf(page: number, pages: number, terminal: Terminal): string {
  return `${terminal.style('bold', `page ${page + 1} of ${pages}`)} [space: next page, n: no] `
}

/** Folds text at a width, counting wide characters double, so that the terminal never folds it for us. Marks stay whole. */
export function folded(text: string, width: number): readonly string[] {
  const room = Math.max(width, 10)
  const lines: string[] = []
  let line = ''
  let used = 0
  for (const piece of pieces(text, room)) {
    const wide = piece.length > 1 && piece.startsWith('⟨') ? piece.length : columns(piece)
    if (used + wide > room) {
      lines.push(line)
      line = ''
      used = 0
    }
    line += piece
    used += wide
  }
  return [...lines, line]
}

/** Marks that fit into a line, and graphemes. */
function* pieces(text: string, room: number): Generator<string> {
  for (const part of text.split(/(⟨[^⟨⟩]*⟩)/)) {
    if (part.startsWith('⟨') && part.length <= room) yield part
    else for (const { segment } of new Intl.Segmenter().segment(part)) yield segment
  }
}

function columns(segment: string): number {
  return (segment.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1
}

function paged(lines: readonly string[], height: number): readonly (readonly string[])[] {
  const pages: (readonly string[])[] = []
  for (let from = 0; from < lines.length; from += height) pages.push(lines.slice(from, from + height))
  return pages
}

function whereOf({ conversation }: ApprovalRecord): string {
  return conversation === undefined ? '' : `, conversation ${brief(conversation)}`
}

function minutes(ms: number): string {
  if (ms < 60_000) return `${Math.max(0, Math.ceil(ms / 1_000))} s`
  return `${Math.ceil(ms / 60_000)} min`
}
