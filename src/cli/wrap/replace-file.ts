/** Replaces a file that another program keeps: whole or not at all, and never over a change that was not read. */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { reasonOf, UnusableInput } from '../exit.ts'

/** A file as it was read. */
export interface ReadFile {
  /** The file itself, where a link was named. */
  readonly path: string
  readonly bytes: Buffer
}

/**
 * Reads a file.
 *
 * @throws UnusableInput naming it
 */
export function readWhole(named: string): ReadFile {
  try {
    const path = realpathSync(named)
    if (!statSync(path).isFile()) throw new UnusableInput('is not a regular file')
    return { path, bytes: readFileSync(path) }
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw new UnusableInput(`${named}: ${isMissing ? 'there is no such file' : reasonOf(error)}`)
  }
}

/**
 * Writes a file beside it, with the same mode and owner, and puts that in its place.
 *
 * @throws UnusableInput when the file is not as it was read, or cannot be replaced; nothing has changed then
 */
export function replaceWhole({ path, bytes }: ReadFile, text: string): void {
  const beside = join(dirname(path), `.${basename(path)}.holdpoint-${process.pid}`)
  try {
    writeLike(path, beside, Buffer.from(text))
    if (!readFileSync(path).equals(bytes))
      throw new UnusableInput('changed while it was being wrapped, and was left as it is: run this again')
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    throw new UnusableInput(`${path}: ${reasonOf(error)}`)
  }
}

function writeLike(path: string, beside: string, content: Buffer): void {
  const { mode, uid, gid } = statSync(path)
  const file = openSync(beside, 'wx', 0o600)
  try {
    const made = fstatSync(file)
    if (made.uid !== uid || made.gid !== gid) fchownSync(file, uid, gid)
    fchmodSync(file, mode & 0o7777)
    let written = 0
    while (written < content.length) written += writeSync(file, content, written)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
