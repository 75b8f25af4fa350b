import { basename, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pointerToken } from './bytes/pointer.ts'
import { namedBy, wordsOf } from './bytes/words.ts'
import type { Json } from './types.ts'

/**
 * Finds an argument that names one of holdpoint's own files: receipts, claims, key, configuration, policies. A call that
 * could rewrite what judges it is refused before any policy is asked.
 *
 * A look at names alone: what a link or a program makes of another name is beyond it.
 * @param tool its name: one that removes or moves may not name a folder around those files either
 * @returns the JSON Pointer of the first such argument
 */
export type OwnFiles = (input: Json, tool: string) => string | undefined

/** Beyond it, no system opens a name; such a text is only searched. */
const LONGEST_NAME = 4_096
/** A command is looked at word by word, up to here. */
const MOST_WORDS = 512

const REMOVING = new Set(
  'delete remove rm rmdir rmtree unlink move mv rename purge wipe erase destroy trash prune clear empty overwrite'.split(
    ' ',
  ),
)
const isCommand = namedBy(new Set('command commands cmd script shell code args argv arguments exec'.split(' ')))
/** Where a call starts from or puts things: to name a folder there takes nothing out of it. */
const PLACES = new Set('cwd workdir working_directory workingDirectory destination dest dst to'.split(' '))

/**
 * @param paths absolute files and folders
 * @param from what relative names and `~` stand for
 */
export function ownFiles(paths: readonly string[], from: { readonly folder: string; readonly home: string }): OwnFiles {
  const own = paths.map(folded)
  const isOwn = (path: string): boolean => own.some((each) => path === each || path.startsWith(each + sep))
  const isAround = (path: string): boolean =>
    own.some((each) => each.startsWith(path.endsWith(sep) ? path : path + sep))

  // Whatever resolves to one of them spells its last name out, unless the gate itself runs in there.
  const lastNames = isOwn(folded(from.folder)) ? [''] : [...new Set(own.map((each) => basename(each)))]

  const names = (text: string, name: string, removes: boolean): boolean => {
    const whole = folded(text)
    if (!removes && !whole.includes('%') && !lastNames.some((each) => whole.includes(each))) return false
    if (own.some((each) => mentions(whole, each))) return true
    const candidates = text.length <= LONGEST_NAME ? [text] : []
    if (isCommand(name)) candidates.push(...wordsIn(text))
    return candidates.some((candidate) =>
      readings(candidate, from).some((path) => isOwn(path) || (removes && !PLACES.has(name) && isAround(path))),
    )
  }
  const find = (value: Json, name: string, removes: boolean): string | undefined => {
    if (typeof value === 'string') return names(value, name, removes) ? '' : undefined
    if (typeof value !== 'object' || value === null) return undefined
    for (const [key, member] of Object.entries(value as { readonly [name: string]: Json })) {
      const at = `/${pointerToken(key)}`
      if (names(key, name, removes)) return at
      const inside = find(member, Array.isArray(value) ? name : key, removes)
      if (inside !== undefined) return `${at}${inside}`
    }
    return undefined
  }
  return (input, tool) =>
    find(
      input,
      '',
      wordsOf(tool).some((word) => REMOVING.has(word)),
    )
}

function wordsIn(command: string): readonly string[] {
  const words = command.split(/[\s"'`;|&<>()=]+/, MOST_WORDS)
  return words.filter((word) => word !== '' && word.length <= LONGEST_NAME)
}

/** What makes a longer name of a name. */
const GOES_ON = /^(?:[\p{L}\p{N}_-]|\.[\p{L}\p{N}])/u

/** Does the name stand in the text, and not just as the beginning of a longer one? */
function mentions(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const end = at + name.length
    if (!GOES_ON.test(text.slice(end, end + 4))) return true
  }
  return false
}

/** What a tool may take a text for: as it stands, with `~` or `$HOME` written out, percent-decoded, as a `file:` URL. */
function readings(text: string, from: { readonly folder: string; readonly home: string }): readonly string[] {
  const said = [text]
  if (text.includes('%')) said.push(...attempt(() => decodeURIComponent(text)))
  if (/^file:/i.test(text)) said.push(...attempt(() => fileURLToPath(text)))
  return said.map((each) =>
    folded(resolve(from.folder, each.replace(/^(?:~|\$HOME|\$\{HOME\})(?=[/\\]|$)/, from.home))),
  )
}

function attempt(read: () => string): readonly string[] {
  try {
    return [read()]
  } catch {
    return []
  }
}

/** Text that folding leaves as it is. */
const FOLDED = /^[ -@[-~]*$/

/** Many file systems take these for one name. */
function folded(path: string): string {
  return FOLDED.test(path) ? path : path.normalize('NFC').toLowerCase()
}
