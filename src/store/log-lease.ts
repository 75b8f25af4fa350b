import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { HoldpointError } from '../errors.ts'
import { isBusy, makePrivate, refuseOthers } from './sqlite-files.ts'

/** The right to take the log of a store forward, for as long as it is open. */
export interface LogLease {
  /** The log's index, `log.db`: nobody else can open it meanwhile. */
  readonly db: DatabaseSync
  /** Is this still the file that the folder has? Not after somebody moved the folder away, or put another in its place. */
  holds(): boolean
  close(): void
}

/** `PRAGMA synchronous` as SQLite reads it back. */
const FULL = 2

/** Where the log of a store is. */
export function logFolder(storeFolder: string): string {
  return join(storeFolder, 'log')
}

/**
 * Takes the lease; `undefined` while another process, or another part of this one, has it.
 *
 * It is the operating system's lock on `log.db`, which ends with its holder however that ends: so there are never two, and
 * nobody waits for one who died. It needs a file system with working locks; network file systems often have none.
 *
 * @throws HoldpointError ERR_STORE when the folder cannot be used
 */
export function tryLease(storeFolder: string): LogLease | undefined {
  const folder = logFolder(storeFolder)
  const path = join(folder, 'log.db')
  let db: DatabaseSync | undefined
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    refuseOthers(folder)
    makePrivate(path)
    db = new DatabaseSync(path)
    db.exec('PRAGMA busy_timeout = 0')
    db.exec('PRAGMA locking_mode = EXCLUSIVE')
    makeDurable(db)
    // INVARIANT I6: taken by a write. The lock is held from here to the end of the connection.
    db.exec('BEGIN EXCLUSIVE')
    db.exec('CREATE TABLE IF NOT EXISTS lease (taken INTEGER NOT NULL) STRICT')
    db.exec('DELETE FROM lease')
    db.exec('INSERT INTO lease VALUES (1)')
    db.exec('COMMIT')
    return held(db, path)
  } catch (cause) {
    db?.close()
    if (isBusy(cause)) return undefined
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new HoldpointError('ERR_STORE', `the log in ${folder} cannot be opened: ${why}`, { at: folder, cause })
  }
}

function held(db: DatabaseSync, path: string): LogLease {
  // Looked at, never opened: to close a second handle would drop the locks that this process has on it.
  const { ino } = statSync(path)
  return { db, holds: () => statSync(path, { throwIfNoEntry: false })?.ino === ino, close: () => db.close() }
}

/** INVARIANT I6: what is acknowledged was synced. Set, read back, and refused when it did not take. */
function makeDurable(db: DatabaseSync): void {
  const { journal_mode: journal } = db.prepare('PRAGMA journal_mode = WAL').get() ?? {}
  if (journal !== 'wal') throw new Error(`the file system does not support it (journal mode ${String(journal)})`)
  db.exec('PRAGMA synchronous = FULL')
  const { synchronous } = db.prepare('PRAGMA synchronous').get() ?? {}
  if (synchronous !== FULL) throw new Error(`commits would not be synced to disk (synchronous ${String(synchronous)})`)
}
