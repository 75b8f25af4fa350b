/** Small files, each there whole and durable, or not at all. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { systemCodeOf } from '../bytes/system-code.ts'

/** For this user alone. */
const OWN = 0o600

/**
 * Makes a file, whatever the umask. One that is there stays as it is, so of several processes one makes it.
 *
 * @returns false where there was one already
 * @throws Error of the file system
 */
export function createDurably(path: string, content: string, mode = OWN): boolean {
  return withDraft(path, { content, mode }, (draft) => {
    try {
      linkSync(draft, path)
    } catch (cause) {
      if (systemCodeOf(cause) === 'EEXIST') return false
      throw cause
    }
    syncFolder(dirname(path))
    return true
  })
}

/** Puts a file of this user alone in the place of another, or where there was none. @throws Error of the file system */
export function replaceDurably(path: string, content: string): void {
  withDraft(path, { content, mode: OWN }, (draft) => moveDurably(draft, path))
}

/** Gives a durable file the name of another one, which is gone then. Both are in one folder. @throws Error of the file system */
export function moveDurably(from: string, to: string): void {
  renameSync(from, to)
  syncFolder(dirname(to))
}

/** How the name of a file ends that is still being made. */
const DRAFT = /\.\d+-[0-9a-f]{12}\.new$/

/**
 * Removes what processes that died left of making this file, and files whose names begin with its own and a dot. A draft may be a
 * second name of the file itself, and outlive it.
 *
 * @throws Error of the file system when the folder cannot be read
 */
export function removeDrafts(path: string): void {
  const folder = dirname(path)
  for (const name of readdirSync(folder)) {
    if (name.startsWith(`.${basename(path)}.`) && DRAFT.test(name)) removeQuietly(join(folder, name))
  }
}

/** INVARIANT I6: the name is given to a file that is whole and synced, so that no reader and no crash finds half of one. */
function withDraft<T>(
  path: string,
  { content, mode }: { readonly content: string; readonly mode: number },
  name: (draft: string) => T,
): T {
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(6).toString('hex')}.new`)
  try {
    const file = openSync(draft, 'wx', OWN)
    try {
      fchmodSync(file, mode)
      writeFileSync(file, content)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    return name(draft)
  } finally {
    removeQuietly(draft)
  }
}

/** A name is durable with its folder. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** It has another name by now. What cannot be removed harms nobody, and must not hide what went wrong. */
function removeQuietly(draft: string): void {
  try {
    rmSync(draft, { force: true })
  } catch {
    // It stays.
  }
}
