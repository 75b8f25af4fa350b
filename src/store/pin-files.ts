import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  type Stats,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { isServerName } from '../bytes/names.ts'
import { systemCodeOf } from '../bytes/system-code.ts'
import { HoldpointError } from '../errors.ts'
import { createDurably, replaceDurably } from '../files/durable.ts'
import type { PinRecord, PinShelf } from '../types.ts'
import { MOST_PIN_BYTES, pinText, readPins } from './pin-text.ts'

const SEEN = '.seen.json'
const PINS = /^([a-z0-9-]+)\.json$/
/** A link is not followed, and a pipe that nobody writes to is not waited for. */
const READ_IF_REGULAR = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW

/** Pins in a folder, as the command line works on them. */
export interface PinFolder extends PinShelf {
  /** The servers that have pins here, sorted. @throws HoldpointError ERR_PINS */
  servers(): readonly string[]
  /** Where a server's pins are. */
  fileOf(server: string): string
  /**
   * Takes the place of pins that were read under this stamp.
   *
   * @throws HoldpointError ERR_PINS, also when somebody has changed them since
   */
  replace(record: PinRecord, stamp: string): void
  /** Takes a server's pins away, also such as cannot be read: its next listing is pinned anew. False when there were none. */
  remove(server: string): boolean
}

/**
 * `<server>.json`, what a server's tools must be, and `<server>.seen.json`, what of them was seen last that is not so.
 *
 * Whoever can write here decides which tools a gate takes for known. So the files are this user's alone (mode 0600, in a folder of
 * mode 0700), and one that others could have changed, that is another user's or only a link is not relied on.
 */
export function pinFolder(folder: string): PinFolder {
  const fileOf = (server: string): string => join(folder, `${named(server)}.json`)
  const seenOf = (server: string): string => join(folder, named(server) + SEEN)
  const stamp = (server: string): string | undefined => stampOf(folder, fileOf(server))
  return {
    fileOf,
    stamp,
    read: (server) => readFile(folder, fileOf(server), server),
    seen: (server) => readFile(folder, seenOf(server), server),
    pin: (record) => write(folder, fileOf(record.server), record, 'create'),
    see: (record) => {
      if (record.tools.size === 0) removeFile(seenOf(record.server))
      else write(folder, seenOf(record.server), record, 'replace')
    },
    replace: (record, before) => {
      if (stamp(record.server) !== before)
        throw failure(fileOf(record.server), 'was changed by somebody else meanwhile: look at it again')
      write(folder, fileOf(record.server), record, 'replace')
    },
    remove: (server) => {
      removeFile(seenOf(server))
      return removeFile(fileOf(server))
    },
    servers: () => serversIn(folder),
  }
}

/** A server's name becomes the name of a file. */
function named(server: string): string {
  if (isServerName(server)) return server
  throw new HoldpointError('ERR_PINS', `"${server}" is not the name of a server, so it has no pins`, { at: server })
}

/** Whatever may have changed the file, its folder, or who may change them. */
function stampOf(folder: string, path: string): string | undefined {
  try {
    const [around, about] = [lstatSync(folder), lstatSync(path, { bigint: true })]
    const { mtimeNs, ctimeNs, size, ino, mode, uid } = about
    return [around.mode, around.uid, around.ino, mtimeNs, ctimeNs, size, ino, mode, uid].join(' ')
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined
    throw failure(path, `cannot be read (${systemCodeOf(cause)})`, cause)
  }
}

function readFile(folder: string, path: string, server: string): PinRecord | undefined {
  if (!isReliable(folder)) return undefined
  let file: number
  try {
    file = openSync(path, READ_IF_REGULAR)
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined
    if (systemCodeOf(cause) === 'ELOOP') throw failure(path, 'is a link: put the file itself there', cause)
    throw failure(path, `cannot be read (${systemCodeOf(cause)}): make it readable for this user alone`, cause)
  }
  try {
    // Judged on the open file, so that nothing can be put in its place between the check and the read.
    const about = fstatSync(file)
    if (!about.isFile()) throw failure(path, 'is not a regular file: take it away')
    refuseOthers(path, about)
    if (about.size > MOST_PIN_BYTES) throw failure(path, `has more than ${MOST_PIN_BYTES} bytes`)
    return readPins(readFileSync(file), server)
  } catch (cause) {
    if (cause instanceof HoldpointError && cause.code === 'ERR_PINS') throw cause
    const because = cause instanceof HoldpointError ? cause.message : `cannot be read (${systemCodeOf(cause)})`
    throw failure(path, `is not what was written: ${because}. ${remedy(path, server)}`, cause)
  } finally {
    closeSync(file)
  }
}

/** False when there is no folder yet. */
function isReliable(folder: string): boolean {
  let about: Stats
  try {
    // Without a slash at its end, which would lead through a link.
    about = lstatSync(resolve(folder))
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return false
    throw failure(folder, `cannot be read (${systemCodeOf(cause)})`, cause)
  }
  if (about.isSymbolicLink()) throw failure(folder, 'is a link, which others may turn elsewhere')
  if (!about.isDirectory()) throw failure(folder, 'is no folder')
  refuseOthers(folder, about)
  return true
}

function refuseOthers(path: string, { mode, uid }: Pick<Stats, 'mode' | 'uid'>): void {
  if (process.platform === 'win32') return
  if ((mode & 0o022) !== 0) throw failure(path, `can be changed by others; if nobody did, run: chmod go-w ${path}`)
  if (uid !== process.getuid?.() && uid !== 0)
    throw failure(path, "belongs to another user: it must be root's or this user's own")
}

/** False where there was a file to be created already. */
function write(folder: string, path: string, record: PinRecord, how: 'create' | 'replace'): boolean {
  const text = pinText(record)
  if (Buffer.byteLength(text) > MOST_PIN_BYTES)
    throw failure(
      path,
      `would have more than ${MOST_PIN_BYTES} bytes: the server describes its tools at too great a length`,
    )
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    isReliable(folder)
    if (how === 'create') return createDurably(path, text)
    replaceDurably(path, text)
    return true
  } catch (cause) {
    if (cause instanceof HoldpointError) throw cause
    throw failure(path, `cannot be written (${systemCodeOf(cause)}): give this user a writable state folder`, cause)
  }
}

function removeFile(path: string): boolean {
  try {
    rmSync(path)
    return true
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return false
    throw failure(path, `cannot be removed (${systemCodeOf(cause)})`, cause)
  }
}

function serversIn(folder: string): readonly string[] {
  if (!isReliable(folder)) return []
  try {
    return readdirSync(folder)
      .flatMap((name) => PINS.exec(name)?.[1] ?? [])
      .filter(isServerName)
      .sort()
  } catch (cause) {
    throw failure(folder, `cannot be read (${systemCodeOf(cause)})`, cause)
  }
}

function remedy(path: string, server: string): string {
  if (path.endsWith(SEEN)) return 'Take it away: it is written anew at the next listing'
  return `Put back what was there, or have the tools pinned anew: holdpoint pins remove ${server}`
}

function failure(path: string, what: string, cause?: unknown): HoldpointError {
  return new HoldpointError('ERR_PINS', `the pins at ${path}: ${what}`, { at: path, cause })
}
