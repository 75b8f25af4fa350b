/** What a person sees before they say yes: the call exactly as it would run, and nothing that could imitate us. */
import type { ApprovalRecord } from '../../types.ts'
import type { Terminal } from '../terminal.ts'
import { isHostile, visible } from '../visible.ts'

const BORDER = '│ '

/**
 * The question about one call.
 *
 * INVARIANT I3: the arguments are the canonical text that was digested, every character of it; only what a terminal would
 * obey or hide is drawn as a mark. Every line of them starts with our border, so that no argument can draw a line of ours.
 */
export function cardOf(request: ApprovalRecord, terminal: Terminal, now: number): string {
  const { style } = terminal
  const mark = (text: string): string => style('inverse', text)
  const bytes = Buffer.byteLength(request.argumentsText)
  const whose = `${request.principal.type} ${visible(request.principal.id)}`
  const where = request.conversation === undefined ? '' : `, conversation ${visible(request.conversation)}`
  const lines = [
    `${style('bold', visible(request.tool))}  ${request.materiality}`,
    visible(request.because),
    `for ${whose}${where}`,
    ...(request.requires === 'confirmation' ? [] : [`asks for ${visible(request.requires)}`]),
    '',
    `arguments, ${bytes} bytes:`,
    ...folded(visible(request.argumentsText), terminal.width - BORDER.length - 1),
    ...(isHostile(request.argumentsText)
      ? ['', style('yellow', `careful: ${mark('⟨U+…⟩')} stands for characters that a terminal would hide or obey`)]
      : []),
    '',
    style('dim', `${request.ref}, open for another ${minutes(request.expiresAt - now)}`),
  ]
  return lines
    .flatMap((line) => (line.includes('⟨') ? line.replace(/⟨U\+[0-9A-F]{4,6}⟩/g, mark) : line))
    .map((line) => BORDER + line)
    .join('\n')
}

/** The question itself; it repeats what would run, because long arguments push the head of the card off the screen. */
export function questionOf({ tool }: ApprovalRecord, terminal: Terminal): string {
  return `${terminal.style('bold', `Run ${visible(tool)} once, with exactly these arguments?`)} [y/n] `
}

/** Folds text at a width, counting wide characters double, so that the terminal never folds it for us. */
export function folded(text: string, width: number): readonly string[] {
  const room = Math.max(width, 10)
  const lines: string[] = []
  let line = ''
  let used = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    const wide = (segment.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1
    if (used + wide > room) {
      lines.push(line)
      line = ''
      used = 0
    }
    line += segment
    used += wide
  }
  return [...lines, line]
}

function minutes(ms: number): string {
  if (ms < 60_000) return `${Math.max(0, Math.ceil(ms / 1_000))} s`
  return `${Math.ceil(ms / 60_000)} min`
}
