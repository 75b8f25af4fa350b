import { existsSync } from 'node:fs'
import { win32 } from 'node:path'
import type { ServerCommand } from './child.ts'

/** What is started in the end. */
export interface Launch {
  readonly program: string
  readonly args: readonly string[]
  /** The arguments are a command line that is right already. */
  readonly verbatim: boolean
}

/** What launching on Windows depends on. */
export interface WindowsPlace {
  readonly path: string
  readonly extensions: string
  readonly shell: string
  readonly exists: (file: string) => boolean
}

const BATCH = /\.(?:cmd|bat)$/i
/** What `cmd.exe` reads as its own even between double quotes. */
const UNSAFE = /["%\r\n\0]/

/** How a command is started on this platform: as it stands, but for batch files of Windows. */
export function launchOf(command: ServerCommand): Launch {
  const [program, ...args] = command
  if (process.platform !== 'win32') return { program, args, verbatim: false }
  return windowsLaunch(command, {
    path: process.env['PATH'] ?? '',
    extensions: process.env['PATHEXT'] ?? '.COM;.EXE;.BAT;.CMD',
    shell: process.env['ComSpec'] ?? 'cmd.exe',
    exists: existsSync,
  })
}

/**
 * `npx` is a batch file on Windows, and only `cmd.exe` runs those. It gets one command line in which every word stands between
 * double quotes; a word that it would read as something else is refused.
 *
 * @throws Error for a word that cannot be handed over safely
 */
export function windowsLaunch([program, ...args]: ServerCommand, place: WindowsPlace): Launch {
  const file = fileOf(program, place)
  if (!BATCH.test(file)) return { program: file, args, verbatim: false }
  const unsafe = [file, ...args].find((word) => UNSAFE.test(word))
  if (unsafe !== undefined) {
    throw new Error(
      `${program} is a batch file, to which a word with a quote, a percent sign or a line break cannot be handed safely; start the program behind it: node FILE.js …`,
    )
  }
  const line = [file, ...args].map(quoted).join(' ')
  return { program: place.shell, args: ['/d', '/e:on', '/v:off', '/s', '/c', `"${line}"`], verbatim: true }
}

/** As Windows looks a program up: along the path, by the usual endings. What is not found stays as it is, and fails to start. */
function fileOf(program: string, { path, extensions, exists }: WindowsPlace): string {
  const folders = /[\\/]/.test(program) ? [''] : path.split(';').filter((folder) => folder !== '')
  const endings = win32.extname(program) === '' ? extensions.split(';') : ['']
  for (const folder of folders) {
    for (const ending of endings) {
      const file = `${folder === '' ? program : win32.join(folder, program)}${ending}`
      if (exists(file)) return file
    }
  }
  return program
}

/** Backslashes before a closing quote would open it again. */
function quoted(word: string): string {
  return `"${word.replace(/\\+$/, '$&$&')}"`
}
