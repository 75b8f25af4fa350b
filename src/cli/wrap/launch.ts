/** What stands before a server's own command once it is wrapped: how holdpoint is started, and under which name. */
import { UnusableInput } from '../exit.ts'

/** Without `--command`: npm fetches holdpoint when it is not installed. */
const HOLDPOINT = ['-y', 'holdpoint'] as const
const OWN_PROGRAM = /(?:^|[\\/])holdpoint(?:\.[cm]?js|\.cmd|\.ps1|\.exe)?(?:@[\w.^~-]+)?$/i
const NPX = /(?:^|[\\/])npx(?:\.cmd)?$/i
const CMD = /(?:^|[\\/])cmd(?:\.exe)?$/i

/** A program, and what follows. */
export type Launch = readonly [program: string, ...words: readonly string[]]

/** How the person says holdpoint is started; `undefined` is the usual way. */
export type Launcher = Launch | undefined

/**
 * Reads `--command`: words between blanks, or a JSON list of them where one holds a blank.
 *
 * @throws UnusableInput
 */
export function readLauncher(written: string | undefined): Launcher {
  if (written === undefined) return undefined
  const [program, ...args] = written.trimStart().startsWith('[')
    ? listed(written)
    : written.split(/\s+/).filter(Boolean)
  if (program === undefined) throw new UnusableInput('--command: which command starts holdpoint?')
  return [program, ...args]
}

function listed(written: string): readonly string[] {
  try {
    const list: unknown = JSON.parse(written)
    if (Array.isArray(list) && list.every((one) => typeof one === 'string' && one !== '')) return list
  } catch {
    // Said below, as for a list of other things.
  }
  throw new UnusableInput('--command: begins like a JSON list, and is no list of texts')
}

/**
 * How holdpoint is started in this server's place: all up to `mcp`. Whatever made the host find the server's own npx makes it find ours: a full
 * path stays, and where Windows needs `cmd /c` or `npx.cmd` that stays too. No shell is added where there was none.
 */
export function beginningFor(parts: readonly string[], launcher: Launcher): Launch {
  if (launcher !== undefined) return launcher
  const [program = '', first = ''] = parts
  if (NPX.test(program)) return [program, ...HOLDPOINT]
  if (CMD.test(program) && first.toLowerCase() === '/c') return [program, first, 'npx', ...HOLDPOINT]
  return ['npx', ...HOLDPOINT]
}

/**
 * What follows: the command, the name and the end of our own words. `--name=` in one word says that the server had no `args` of
 * its own, which a list alone could not tell.
 */
export function commandWords(name: string, hadArgs: boolean): readonly string[] {
  return hadArgs ? ['mcp', '--name', name, '--'] : ['mcp', `--name=${name}`, '--']
}

/** A command that begins with our own. */
export interface WrappedCommand {
  /** Where the server's own command begins. */
  readonly own: number
  readonly hadArgs: boolean
}

/** Is this a server behind holdpoint already, whoever wrote it and with which flags? */
export function wrappedIn(parts: readonly string[], launcher: Launcher): WrappedCommand | undefined {
  const at = parts.findIndex((part, index) => part === 'mcp' && isOurs(parts.slice(0, index), launcher))
  const end = at < 0 ? -1 : parts.indexOf('--', at)
  if (end < 0 || end + 1 >= parts.length) return undefined
  return { own: end + 1, hadArgs: !parts.slice(at, end).some((part) => part.startsWith('--name=')) }
}

function isOurs(before: readonly string[], launcher: Launcher): boolean {
  if (OWN_PROGRAM.test(before.at(-1) ?? '')) return true
  return launcher?.length === before.length && launcher.every((word, index) => word === before[index])
}
