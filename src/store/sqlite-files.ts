import { closeSync, existsSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { bind, lostClaims } from './sqlite-bond.ts'
import { CLAIMS_OLDER, CLAIMS_SCHEMA, CLAIMS_VERSION, SLOT_OLDER, SLOT_SCHEMA, SLOT_VERSION } from './sqlite-schema.ts'

const MOST_SLOTS = 1_024
/** `PRAGMA synchronous` as SQLite reads it back. */
const FULL = 2
/** How long one process waits for others that are opening the same folder, ms. */
const TURN_MS = 15_000
/** How long a process that opens a folder waits for those that write there, ms: they have no queue, and it asks once. */
const OPENING_MS = 10_000

/** A slot that this process holds until it closes or dies. */
export interface Slot {
  readonly number: number
  readonly db: DatabaseSync
  close(): void
}

/**
 * Takes the lowest free slot of a folder and opens its files.
 *
 * The lease is an exclusive lock on a small database of its own: the operating system frees it the moment its holder dies,
 * and a slot left behind is taken over with whatever stands in it.
 */
export function openSlot(folder: string, busyMs: number, wanted?: number): Slot {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  refuseOthers(folder)
  // One process opens at a time: switching a fresh file to WAL cannot be waited for, only raced.
  const opening = lock(join(folder, 'opening.lock.db'), TURN_MS)
  if (opening === undefined) throw new Error('another process has been opening this folder for too long')
  try {
    const { number, lease } = takeSlot(folder, wanted)
    try {
      const db = openWriter(join(folder, `receipts-${number}.db`), Math.max(busyMs, OPENING_MS))
      // Before the shared file is there: a transaction of its own would have to wait for everybody else's.
      makeTables(db, { file: 'main', tables: SLOT_SCHEMA, version: SLOT_VERSION, older: SLOT_OLDER })
      attachClaims(db, claimsPath(folder), () => refuseLostClaims(folder))
      bind(db, folder)
      waitAtMost(db, busyMs)
      return {
        number,
        db,
        close: () => {
          db.close()
          lease.close()
        },
      }
    } catch (cause) {
      lease.close()
      throw cause
    }
  } finally {
    opening.close()
  }
}

/** The file that all processes of a store share. */
export function claimsPath(folder: string): string {
  return join(folder, 'claims.db')
}

/** Opens `claims.db` alone, to answer requests for approval. The folder must exist: a desk makes no store. */
export function openDesk(folder: string, busyMs: number): DatabaseSync {
  const path = claimsPath(folder)
  if (!existsSync(path)) throw new Error(`there is no holdpoint store in ${folder}`)
  refuseOthers(folder)
  const db = openFile(':memory:', busyMs)
  attachClaims(db, path, () => refuseLostClaims(folder))
  return db
}

/** How long what is to be erased waits for a gate that writes, ms. */
const ERASING_MS = 5_000

/**
 * Opens one file of a store to erase in it, also while gates write to it. What is deleted through it is overwritten with zeros.
 *
 * @throws Error where others can write to the folder
 */
export function openEraser(path: string, folder: string): DatabaseSync {
  refuseOthers(folder)
  const db = openFile(path, ERASING_MS)
  db.exec('PRAGMA secure_delete = ON')
  return db
}

/** Does something while no process has these slots and none can take one; false, and nothing is done, where one has any. */
export function withFreeSlots(folder: string, slots: readonly number[], work: () => void): boolean {
  const leases: DatabaseSync[] = []
  try {
    for (const slot of slots) {
      const lease = lock(join(folder, `receipts-${slot}.lock.db`), 0)
      if (lease === undefined) return false
      leases.push(lease)
    }
    work()
    return true
  } finally {
    for (const lease of leases) lease.close()
  }
}

/** The numbers of all slots that a folder has, live or left behind. */
export function slotsIn(folder: string): readonly number[] {
  if (!existsSync(folder)) throw new Error(`there is no folder ${folder}`)
  const numbers = readdirSync(folder).map((name) => /^receipts-(\d+)\.db$/.exec(name)?.[1])
  return numbers
    .filter((number) => number !== undefined)
    .map(Number)
    .sort((a, b) => a - b)
}

/**
 * Opens a database to look at it and to leave no trace.
 *
 * While any process has it open a write-ahead log stands beside it and is read along; without one the file is complete and
 * is read as immutable, because an ordinary opening would create the log.
 */
export function openReadOnly(path: string): DatabaseSync {
  if (existsSync(`${path}-wal`)) return openFile(path, 1_000, { readOnly: true })
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1')
  try {
    return new DatabaseSync(url, { readOnly: true })
  } catch (cause) {
    // Node before 22.15 takes no URL. It leaves an empty log beside the file, and needs a folder that it can write to.
    if (cause instanceof TypeError) return openFile(path, 1_000, { readOnly: true })
    throw cause
  }
}

/** Opens a file that waits for other processes' locks. Said in SQL, because `timeout` is an option only since Node 22.16. */
function openFile(path: string, waitMs: number, options: { readonly readOnly?: boolean } = {}): DatabaseSync {
  const db = new DatabaseSync(path, options)
  waitAtMost(db, waitMs)
  return db
}

/** How long other processes' locks are waited for from now on. */
function waitAtMost(db: DatabaseSync, ms: number): void {
  db.exec(`PRAGMA busy_timeout = ${Math.round(ms)}`)
}

function takeSlot(
  folder: string,
  wanted: number | undefined,
): { readonly number: number; readonly lease: DatabaseSync } {
  const first = wanted ?? 0
  const last = wanted ?? MOST_SLOTS - 1
  for (let number = first; number <= last; number += 1) {
    const lease = lock(join(folder, `receipts-${number}.lock.db`), 0)
    if (lease !== undefined) return { number, lease }
  }
  throw new Error(
    wanted === undefined ? 'every slot of this folder is taken' : `slot ${wanted} is taken by another process`,
  )
}

/** An exclusive lock for as long as the returned database is open; `undefined` when somebody else holds it. */
function lock(path: string, waitMs: number): DatabaseSync | undefined {
  makePrivate(path)
  const db = openFile(path, waitMs)
  try {
    db.exec('BEGIN EXCLUSIVE')
    return db
  } catch (cause) {
    db.close()
    if (isBusy(cause)) return undefined
    throw cause
  }
}

/**
 * A folder or a file that others can write to proves nothing: they could free a call key or answer for the person.
 *
 * @throws Error saying what mends it
 */
export function refuseOthers(folder: string): void {
  if (process.platform === 'win32') return
  const user = process.getuid?.()
  if (user !== undefined && user !== 0 && statSync(folder).uid !== user) {
    throw new Error(`the folder ${folder} belongs to another user; name a folder of this user`)
  }
  for (const path of [folder, ...readdirSync(folder).map((name) => join(folder, name))]) {
    // A log beside a database may be gone by now.
    const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0
    if ((mode & 0o022) === 0) continue
    const said = (mode & 0o777).toString(8).padStart(3, '0')
    throw new Error(`${path} can be changed by others (mode ${said}); if nobody did, run: chmod -R go-w ${folder}`)
  }
}

/**
 * Makes a file for this user alone before anything is in it: sidecars and requests hold arguments in the clear. SQLite gives
 * a log beside it the same mode.
 *
 * A file that is there is not opened: closing it again would drop the locks that this process has on it.
 */
export function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'ax', 0o600))
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause
  }
}

function openWriter(path: string, busyMs: number): DatabaseSync {
  makePrivate(path)
  const db = openFile(path, busyMs)
  // INSERT OR REPLACE fires the append-only triggers only with this.
  db.exec('PRAGMA recursive_triggers = ON')
  makeDurable(db, 'main')
  // What moves to another page leaves nothing of itself behind, so that it can be erased.
  db.exec('PRAGMA secure_delete = FAST')
  return db
}

/** @param whenEmpty called before the first tables are made in it */
function attachClaims(db: DatabaseSync, path: string, whenEmpty: () => void): void {
  makePrivate(path)
  db.prepare('ATTACH DATABASE ? AS claims').run(path)
  makeDurable(db, 'claims')
  makeTables(db, { file: 'claims', tables: CLAIMS_SCHEMA, version: CLAIMS_VERSION, older: CLAIMS_OLDER, whenEmpty })
}

/** INVARIANT I6: what is acknowledged was synced. Set, read back, and refused when it did not take. */
function makeDurable(db: DatabaseSync, schema: 'main' | 'claims'): void {
  const { journal_mode: journal } = db.prepare(`PRAGMA ${schema}.journal_mode = WAL`).get() ?? {}
  if (journal !== 'wal')
    throw new Error(`the file system does not support write-ahead logging (journal mode ${String(journal)})`)
  db.exec(`PRAGMA ${schema}.synchronous = FULL`)
  const { synchronous } = db.prepare(`PRAGMA ${schema}.synchronous`).get() ?? {}
  if (synchronous !== FULL) throw new Error(`commits would not be synced to disk (synchronous ${String(synchronous)})`)
}

interface Tables {
  readonly file: 'main' | 'claims'
  readonly tables: string
  readonly version: number
  /** By earlier version, what makes a file of it one of this version once the missing tables are there. */
  readonly older?: ReadonlyMap<number, string>
  /** Called before the first tables are made; may throw. */
  readonly whenEmpty?: () => void
}

/** Makes what is missing in a file, all of it or nothing: several processes may come upon an older one at once. */
function makeTables(db: DatabaseSync, { file, tables, version, older, whenEmpty }: Tables): void {
  const versionNow = (): number => Number(db.prepare(`PRAGMA ${file}.user_version`).get()?.['user_version'])
  if (versionNow() === version) return
  db.exec('BEGIN IMMEDIATE')
  try {
    const found = versionNow()
    const change = older?.get(found)
    if (found !== 0 && found !== version && change === undefined)
      throw new Error(`the store was written by another version of holdpoint (schema ${found})`)
    if (found === 0) whenEmpty?.()
    db.exec(tables)
    if (change !== undefined) db.exec(change)
    db.exec(`PRAGMA ${file}.user_version = ${version}`)
    db.exec('COMMIT')
  } catch (cause) {
    db.exec('ROLLBACK')
    throw cause
  }
}

/** @throws Error where any slot of the folder holds receipts: an empty `claims.db` beside them is not theirs */
function refuseLostClaims(folder: string): void {
  for (const number of slotsIn(folder)) {
    const db = openReadOnly(join(folder, `receipts-${number}.db`))
    try {
      const made = db.prepare("SELECT 1 AS found FROM sqlite_schema WHERE name = 'receipts'").get()
      if (made === undefined || db.prepare('SELECT 1 AS found FROM receipts LIMIT 1').get() === undefined) continue
      throw lostClaims(`${folder} holds receipts but no claims.db`)
    } finally {
      db.close()
    }
  }
}

/** SQLITE_BUSY and its extended codes: somebody else holds a lock, and nothing was done. */
export function isBusy(cause: unknown): boolean {
  return (
    cause instanceof Error && 'errcode' in cause && typeof cause.errcode === 'number' && (cause.errcode & 0xff) === 5
  )
}
