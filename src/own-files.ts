import { basename, dirname, resolve, sep } from 'node:path'
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
/** The folders of one call that its relative names may start from; one that names more of them is read as far as this. */
const MOST_BASES = 4

const REMOVING = wordSet(
  'delete remove rm rmdir rmtree unlink move mv rename purge wipe erase destroy trash prune clear empty overwrite',
)
/** Arguments that hold names among other words. */
const isCommand = namedBy(
  wordSet('command commands cmd script shell code args argv arguments exec patch diff input sql query statement'),
)
/** Arguments in which a plain word is the name of a file or folder, and not one of a table, a topic or a branch. */
const isPlace = namedBy(
  wordSet(
    'path paths file files filename dir directory folder destination dest dst to target source src from location uri url command commands cmd script shell args argv',
  ),
)
/** Arguments that say where the names in the others start. */
const isBase = namedBy(wordSet('cwd workdir dir directory folder root base parent path prefix location'))
/** Where a call starts from or puts things: to name a folder there takes nothing out of it. */
const PLACES = wordSet('cwd workdir working_directory workingDirectory destination dest dst to')

/** What relative names, `~` and `$HOLDPOINT_STATE` stand for. */
interface Start {
  readonly folder: string
  readonly home: string
  readonly state: string
}

/** How the arguments of one object are read. */
interface Reading {
  readonly removes: boolean
  /** Folders that the call itself names, absolute. */
  readonly bases: () => readonly string[]
}

/**
 * @param paths absolute files and folders; a last name with `*` stands for whatever it matches
 * @param from what relative names, `~` and `$HOLDPOINT_STATE` stand for
 */
export function ownFiles(paths: readonly string[], from: Start): OwnFiles {
  const own = paths.map((path) => ownPlace(folded(path)))
  const isOwn = (path: string): boolean => own.some((each) => each.holds(path))
  const isAround = (path: string): boolean =>
    own.some((each) => each.path.startsWith(path.endsWith(sep) ? path : path + sep))

  // Whatever resolves to one of them spells its last name out, unless the gate itself runs in there.
  const lastNames = isOwn(folded(from.folder)) ? [''] : [...new Set(own.map((each) => each.lastName))]
  const spells = new RegExp([...lastNames.map((each) => escaped(each)), STATE_NAME].join('|'))
  const writtenOut = variableWriter(from)

  /** Most texts hold no name of ours: they are looked at once. */
  const couldName = (text: string, name: string, { removes }: Reading): boolean => {
    if (removes) return true
    const whole = folded(text)
    if (whole.includes('%') || spells.test(whole)) return true
    return QUOTED.test(whole) && isCommand(name) && spells.test(unquoted(whole))
  }
  const isNamed = (text: string, name: string, reading: Reading, bases: readonly string[]): boolean => {
    const isName = !isPlainWord(text) || isPlace(name) || reading.removes
    return (isName ? [from.folder, ...bases] : bases).some((base) => {
      // Measured as it will be opened: a name may be long on its way.
      const path = folded(resolve(base, text))
      if (path.length > LONGEST_NAME) return false
      return isOwn(path) || (reading.removes && !PLACES.has(name) && isAround(path))
    })
  }
  const names = (said: string, name: string, reading: Reading): boolean => {
    if (!couldName(said, name, reading)) return false
    for (const text of readings(said, writtenOut)) {
      const whole = folded(text)
      if (own.some((each) => mentions(whole, each)) || isNamed(text, name, reading, reading.bases())) return true
      if (isCommand(name) && isNamedInCommand(text, name, reading)) return true
    }
    return false
  }
  const isNamedInCommand = (command: string, name: string, reading: Reading): boolean => {
    const bases = [...new Set([...reading.bases(), ...changesOf(command, from)])].slice(0, MOST_BASES)
    for (const word of wordsIn(command)) {
      if (reading.removes && isNamed(word, name, reading, [])) return true
      if (spells.test(folded(word)) && isNamed(word, name, reading, bases)) return true
    }
    return false
  }
  const find = (value: Json, name: string, reading: Reading): string | undefined => {
    if (typeof value === 'string') return names(value, name, reading) ? '' : undefined
    if (typeof value !== 'object' || value === null) return undefined
    if (Array.isArray(value)) return inList(value, name, reading)
    const members = Object.entries(value as { readonly [name: string]: Json })
    let known: readonly string[] | undefined
    const bases = () => {
      known ??= [...new Set([...reading.bases(), ...basesIn(members)])].slice(0, MOST_BASES)
      return known
    }
    const here = { removes: reading.removes, bases }
    for (const [key, member] of members) {
      if (names(key, key, here)) return `/${pointerToken(key)}`
      const inside = find(member, key, here)
      if (inside !== undefined) return `/${pointerToken(key)}${inside}`
    }
    return undefined
  }
  const inList = (items: readonly Json[], name: string, reading: Reading): string | undefined => {
    for (const [index, item] of items.entries()) {
      const inside = find(item, name, reading)
      if (inside !== undefined) return `/${index}${inside}`
    }
    // A path in segments.
    return isPlace(name) && items.every(isText) && names(items.join(sep), name, reading) ? '' : undefined
  }
  const basesIn = (members: readonly (readonly [string, Json])[]): readonly string[] =>
    members.flatMap(([name, value]) =>
      isBase(name) && typeof value === 'string' && value.length <= LONGEST_NAME
        ? [resolve(from.folder, writtenOut(value))]
        : [],
    )
  return (input, tool) => find(input, '', { removes: wordsOf(tool).some((word) => REMOVING.has(word)), bases: nowhere })
}

const nowhere = (): readonly string[] => []

/** One of the paths, made ready to be compared. */
interface OwnPlace {
  readonly path: string
  readonly lastName: string
  readonly holds: (path: string) => boolean
}

function ownPlace(path: string): OwnPlace {
  const name = basename(path)
  if (!name.includes('*')) {
    const below = path + sep
    return { path, lastName: name, holds: (other) => other === path || other.startsWith(below) }
  }
  const folder = dirname(path)
  const begins = name.slice(0, name.indexOf('*'))
  const ends = name.slice(name.lastIndexOf('*') + 1)
  const holds = (other: string): boolean =>
    dirname(other) === folder && basename(other).startsWith(begins) && other.endsWith(ends)
  return { path, lastName: ends.length > begins.length ? ends : begins, holds }
}

const SEPARATES = /[\s"'`;|&<>()=,]+/
/** `cd build`, `git -C build`: where a command's relative names start from then. */
const CHANGES_FOLDER = /(?:^|[\s;&|(])(?:cd|pushd|-C)\s+["']?([^\s"'`;|&<>()]{1,4096})/g

function changesOf(command: string, from: Start): readonly string[] {
  const folders: string[] = []
  for (const [, folder = ''] of command.matchAll(CHANGES_FOLDER)) {
    folders.push(resolve(from.folder, folder))
    if (folders.length === MOST_BASES) break
  }
  return folders
}

const IS_FILE_URL = /^file:/i
/** A patch says of each name whether it is the old or the new one. */
const SIDE_OF_PATCH = /^[ab]\//

/** The words of a command, each once, as they stand and as a shell reads them. */
function wordsIn(command: string): ReadonlySet<string> {
  const words = new Set(command.split(SEPARATES))
  const asRead = unquoted(command)
  if (asRead !== command) for (const word of asRead.split(SEPARATES)) words.add(word)
  for (const word of words) {
    if (SIDE_OF_PATCH.test(word)) words.add(word.slice(2))
    if (IS_FILE_URL.test(word)) words.add(pathOf(word))
  }
  words.delete('')
  return words
}

const QUOTED = /["'\\]/

/** Without what a shell takes away: `hold'point'.yaml`. */
function unquoted(text: string): string {
  return QUOTED.test(text) ? text.replace(/["'\\]/g, '') : text
}

function isText(value: Json): boolean {
  return typeof value === 'string'
}

function isPlainWord(text: string): boolean {
  return /^[\p{L}\p{N}_-]*$/u.test(text)
}

/** What makes a longer name of a name. */
const GOES_ON = /^(?:[\p{L}\p{N}_-]|\.[\p{L}\p{N}])/u
/** The path of an address on the web is none of ours. */
const IN_WEB_ADDRESS = /https?:\/\/[^\s"'<>]*$/
const LONGEST_HOST = 256

/** Does the path stand in the text, and not just as the beginning of a longer name? */
function mentions(text: string, { path }: OwnPlace): boolean {
  for (let at = text.indexOf(path); at >= 0; at = text.indexOf(path, at + path.length)) {
    const end = at + path.length
    if (GOES_ON.test(text.slice(end, end + 4))) continue
    if (!IN_WEB_ADDRESS.test(text.slice(Math.max(0, at - LONGEST_HOST), at))) return true
  }
  return false
}

/** What a tool may take a text for: as it stands, percent-decoded once and twice, as a `file:` URL; variables written out. */
function readings(text: string, writtenOut: (text: string) => string): ReadonlySet<string> {
  const said = new Set([text])
  if (text.includes('%')) said.add(decoded(text)).add(decoded(decoded(text)))
  if (IS_FILE_URL.test(text)) said.add(pathOf(text))
  return new Set([...said].map(writtenOut))
}

/** Leaves what is no escape, or no text, as it stands. */
function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => attempt(escapes, decodeURIComponent))
}

function pathOf(url: string): string {
  return attempt(url, fileURLToPath)
}

function attempt(text: string, read: (text: string) => string): string {
  try {
    return read(text)
  } catch {
    return text
  }
}

/** The variable that moves our state folder, as `folded` text has it. */
const STATE_NAME = 'holdpoint_state'
/** `$HOLDPOINT_STATE`, `${HOLDPOINT_STATE:-x}`, `%HOLDPOINT_STATE%`, `$env:HOLDPOINT_STATE`: whatever a shell makes of it. */
const STATE_VARIABLE = new RegExp(`(?:\\$\\{?(?:env:)?|%)${STATE_NAME}(?!\\w)[}%]?`, 'gi')

/** Writes out the home folder where a name begins with it (`~`, `~ada`, `$HOME`, `${HOME}`), and our state folder. */
function variableWriter({ home, state }: Start): (text: string) => string {
  const user = escaped(basename(home))
  const written = new RegExp(`(?<![\\w~$])(?:~(?:${user})?|\\$HOME|\\$\\{HOME\\})(?=[/\\\\\\s"'\`;]|$)`, 'g')
  return (text) => (/[~$%]/.test(text) ? text.replace(written, () => home).replace(STATE_VARIABLE, () => state) : text)
}

/** Text that folding leaves as it is. */
const FOLDED = /^[ -@[-~]*$/

/** Many file systems take these for one name. */
function folded(path: string): string {
  return FOLDED.test(path) ? path : path.normalize('NFC').toLowerCase()
}

function escaped(text: string): string {
  return text.replace(/[^\p{L}\p{N}]/gu, '\\$&')
}

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(' '))
}
