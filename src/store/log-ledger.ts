import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { sameBytes } from '../log/encoding.ts'
import type { Arrival, LogLedger, Reached, SignedHead } from '../log/sequencer.ts'
import type { TreeHead } from '../log/tiles.ts'

/** Whose log this is. Set when it begins, and never changed: under another name or key it would be another log. */
export interface LogIdentity {
  /** The id of the store whose receipts it holds. */
  readonly store: string
  readonly origin: string
  /** The public key, as C2SP writes it. */
  readonly key: string
}

/** Bumped when a table changes; another version is refused rather than guessed at. */
const VERSION = 1

const SCHEMA = `
CREATE TABLE IF NOT EXISTS log (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  store  TEXT NOT NULL,
  origin TEXT NOT NULL,
  key    TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS leaves (
  leaf INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  slot INTEGER NOT NULL,
  row  INTEGER NOT NULL
) STRICT;
-- The last receipt of each slot that has a leaf.
CREATE TABLE IF NOT EXISTS reached (
  slot INTEGER PRIMARY KEY,
  row  INTEGER NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS checkpoints (
  size INTEGER PRIMARY KEY,
  root BLOB NOT NULL,
  note TEXT NOT NULL,
  at   INTEGER NOT NULL
) STRICT;
`

/** The log's index in `log.db`. Its holder has the lease, so that nobody else reads or writes here. */
export class SqliteLogLedger implements LogLedger {
  readonly #db: DatabaseSync
  readonly #sql: Record<
    'enter' | 'reach' | 'next' | 'reached' | 'leaves' | 'leaf' | 'head' | 'at' | 'all' | 'record' | 'cosign',
    StatementSync
  >

  /** @throws Error for a `log.db` of another version */
  constructor(db: DatabaseSync) {
    this.#db = db
    makeTables(db)
    this.#sql = {
      enter: db.prepare('INSERT INTO leaves (leaf, hash, slot, row) VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING'),
      reach: db.prepare(
        `INSERT INTO reached (slot, row, hash) VALUES (?, ?, ?)
         ON CONFLICT (slot) DO UPDATE SET row = excluded.row, hash = excluded.hash`,
      ),
      next: db.prepare('SELECT coalesce(max(leaf) + 1, 0) AS next FROM leaves'),
      reached: db.prepare('SELECT slot, row, hash FROM reached'),
      leaves: db.prepare('SELECT hash, slot, row FROM leaves WHERE leaf >= ? ORDER BY leaf LIMIT ?'),
      leaf: db.prepare('SELECT leaf FROM leaves WHERE hash = ?'),
      head: db.prepare('SELECT size, root, note, at FROM checkpoints ORDER BY size DESC LIMIT 1'),
      at: db.prepare('SELECT size, root, note, at FROM checkpoints WHERE size = ?'),
      all: db.prepare('SELECT size, root, note, at FROM checkpoints ORDER BY size'),
      record: db.prepare('INSERT INTO checkpoints (size, root, note, at) VALUES (?, ?, ?, ?)'),
      cosign: db.prepare('UPDATE checkpoints SET note = ? WHERE size = ? AND root = ?'),
    }
  }

  /** The identity that the log began with; begins it with this one where there is none. */
  identity(mine: LogIdentity): LogIdentity {
    const { store, origin, key } = mine
    this.#db.prepare('INSERT INTO log VALUES (1, ?, ?, ?) ON CONFLICT DO NOTHING').run(store, origin, key)
    const row = this.#db.prepare('SELECT store, origin, key FROM log').get() ?? {}
    return { store: String(row['store']), origin: String(row['origin']), key: String(row['key']) }
  }

  async head(): Promise<SignedHead | undefined> {
    return this.headNow()
  }

  headNow(): SignedHead | undefined {
    return headOf(this.#sql.head.get())
  }

  async checkpoint(size: number): Promise<SignedHead | undefined> {
    return headOf(this.#sql.at.get(size))
  }

  /** Every head that was signed, the smallest first. */
  checkpoints(): readonly SignedHead[] {
    return this.#sql.all.all().flatMap((row) => headOf(row) ?? [])
  }

  /** The leaf of a receipt; `undefined` where it has none. */
  leafOf(hash: Uint8Array): number | undefined {
    const row = this.#sql.leaf.get(hash)
    return row === undefined ? undefined : Number(row['leaf'])
  }

  async reached(): Promise<Reached> {
    return new Map(
      this.#sql.reached
        .all()
        .map((row) => [Number(row['slot']), { row: Number(row['row']), hash: bytesOf(row['hash']) }]),
    )
  }

  async enter(arrivals: readonly Arrival[]): Promise<number> {
    return this.#transact(() => {
      const first = Number(this.#sql.next.get()?.['next'])
      let leaf = first
      for (const { hash, slot, row } of arrivals) {
        leaf += Number(this.#sql.enter.run(leaf, hash, slot, row).changes)
        this.#sql.reach.run(slot, row, hash)
      }
      return leaf - first
    })
  }

  async leaves(from: number, most: number): Promise<readonly Arrival[]> {
    return this.#sql.leaves
      .all(from, most)
      .map((row) => ({ hash: bytesOf(row['hash']), slot: Number(row['slot']), row: Number(row['row']) }))
  }

  async record(next: SignedHead, known: TreeHead | undefined): Promise<boolean> {
    return this.#transact(() => {
      const found = this.headNow()
      const isKnown =
        found === undefined || known === undefined
          ? found === known
          : found.size === known.size && sameBytes(found.root, known.root)
      if (!isKnown || next.size <= (found?.size ?? 0)) return false
      this.#sql.record.run(next.size, next.root, next.note, next.at)
      return true
    })
  }

  async cosign({ size, root, note }: SignedHead): Promise<void> {
    this.#transact(() => this.#sql.cosign.run(note, size, root))
  }

  #transact<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (cause) {
      this.#rollBack()
      throw cause
    }
  }

  #rollBack(): void {
    try {
      this.#db.exec('ROLLBACK')
    } catch {
      // SQLite has already rolled back by itself, as it does when the disk is full.
    }
  }
}

function makeTables(db: DatabaseSync): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version !== 0 && version !== VERSION)
    throw new Error(`the log was written by another version of holdpoint (schema ${version})`)
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${VERSION}; COMMIT`)
}

function headOf(row: Record<string, unknown> | undefined): SignedHead | undefined {
  if (row === undefined) return undefined
  return {
    size: Number(row['size']),
    root: bytesOf(row['root']),
    note: String(row['note']),
    at: Number(row['at']),
  }
}

function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Error('the index of the log holds something else than a hash')
  return value
}
