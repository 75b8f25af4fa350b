/** What a command may do to the terminal: print, colour where a person looks, and show progress. */
import { styleText } from 'node:util'

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'inverse'

/** The terminal as commands see it. `out` is for the answer, `note` for everything beside it. */
export interface Terminal {
  /** One line (or several) on stdout. */
  out(text: string): void
  /** One line on stderr. */
  note(text: string): void
  /** Overwrites one line on stderr while work goes on; nothing when stderr is not a terminal. */
  progress(text: string): void
  /** Colours for stdout: identity when it is not a terminal or `NO_COLOR` is set. */
  style(style: Style, text: string): string
  /** Columns of stdout; 80 when it is not a terminal. */
  readonly width: number
  /** Rows of stdout; 24 when it is not a terminal. */
  readonly height: number
  /** Can a person be asked here? */
  readonly interactive: boolean
}

/** The process's own terminal. */
export function processTerminal(): Terminal {
  let shown = false
  const clear = (): void => {
    if (shown) process.stderr.write('\r\u001b[2K')
    shown = false
  }
  return {
    out(text) {
      clear()
      process.stdout.write(`${text}\n`)
    },
    note(text) {
      clear()
      process.stderr.write(`${text}\n`)
    },
    progress(text) {
      if (!process.stderr.isTTY) return
      clear()
      if (text === '') return
      process.stderr.write(text.slice(0, (process.stderr.columns ?? 80) - 1))
      shown = true
    },
    style: (style, text) => styleText(style, text, { stream: process.stdout }),
    get width() {
      return process.stdout.columns ?? 80
    },
    get height() {
      return process.stdout.rows ?? 24
    },
    interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
  }
}

/** Wraps words to `width`, each line after the first indented by `indent` columns. Long words stay whole. Style the result, not `text`. */
export function wrap(text: string, width: number, indent = 0): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const room = width - (lines.length === 0 ? 0 : indent)
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`)
}
