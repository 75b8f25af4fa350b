/** What has become of a tool, line by line. UNTRUSTED: every word of it is a stranger's, written for whoever reads it. */
import { diffArrays } from 'diff'
import { legible } from '../../bytes/legible.ts'
import type { Json, ToolDefinition } from '../../types.ts'
import type { Terminal } from '../terminal.ts'
import { folded } from '../watch/card.ts'

/** Unchanged lines that are shown around changed ones. */
const CONTEXT = 2
/** How long two texts are compared before all of both is shown, ms. */
const COMPARING_MS = 1_000
/** Stands before every line of a stranger's, so that none of them reads like a line of ours. */
const GUTTER = '┆ '
const MEMBERS = ['title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const

interface Line {
  readonly sign: '-' | '+' | ' '
  readonly text: string
}

/**
 * What differs between two definitions of a tool, or all of a new one; every character of it, what a terminal would obey or hide
 * drawn as a mark.
 */
export function differenceOf(
  before: ToolDefinition | undefined,
  after: ToolDefinition,
  terminal: Pick<Terminal, 'style' | 'width'>,
): readonly string[] {
  return MEMBERS.flatMap((member) => {
    const lines = compared(linesOf(before?.[member]), linesOf(after[member]))
    if (lines.every(({ sign }) => sign === ' ')) return []
    return [`  ${member}`, ...nearChanges(lines).flatMap((line) => drawn(line, terminal))]
  })
}

/** Sentences of a text, lines of whatever else there is. */
function linesOf(value: unknown): readonly string[] {
  if (value === undefined) return []
  if (typeof value === 'string') return value.split(/(?<=[.!?] |\n)/)
  return JSON.stringify(value as Json, null, 2).split('\n')
}

function compared(before: readonly string[], after: readonly string[]): readonly Line[] {
  const changes = diffArrays([...before], [...after], { timeout: COMPARING_MS })
  if (changes === undefined) return [...signed('-', before), ...signed('+', after)]
  return changes.flatMap(({ value, added, removed }) => signed(added ? '+' : removed ? '-' : ' ', value))
}

function signed(sign: Line['sign'], texts: readonly string[]): readonly Line[] {
  return texts.map((text) => ({ sign, text }))
}

/** Changed lines and their surroundings; a line of dots for what is left out between them. */
function nearChanges(lines: readonly Line[]): readonly (Line | undefined)[] {
  const changed = lines.flatMap(({ sign }, n) => (sign === ' ' ? [] : [n]))
  const kept = new Set(changed.flatMap((n) => Array.from({ length: 2 * CONTEXT + 1 }, (_, near) => n - CONTEXT + near)))
  return lines.flatMap((line, n) => {
    if (kept.has(n)) return [line]
    return n > 0 && kept.has(n - 1) ? [undefined] : []
  })
}

function drawn(line: Line | undefined, { style, width }: Pick<Terminal, 'style' | 'width'>): readonly string[] {
  if (line === undefined) return [`  ${style('dim', '…')}`]
  const { sign, text } = line
  // The blanks that a line of JSON begins with are ours.
  const indent = /^ *(?=["{}[\]\w])/.exec(text)?.[0] ?? ''
  const rows = folded(indent + legible(text.slice(indent.length)), width - GUTTER.length - 4)
  const colour = sign === '-' ? 'red' : sign === '+' ? 'green' : 'dim'
  return rows.map((row) => `  ${style(colour, `${sign} ${GUTTER}${row}`)}`)
}
