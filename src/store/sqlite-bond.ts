import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'

/** What a file of the store says of itself: whose it is, and how often the store had been opened when it was last bound. */
interface Mark {
  readonly id: string
  readonly opened: number
}

/**
 * Binds a slot to the `claims.db` that it writes to, or refuses: without the keys of the calls that ran, they could run again.
 *
 * Both files name one store and count its openings; `claims.db` is counted first, so that after a crash in between it is never
 * behind. One that was restored from a copy is.
 *
 * @throws Error saying what to do
 */
export function bind(db: DatabaseSync, folder: string): void {
  const own = markOf(db, 'main')
  const shared = markOf(db, 'claims')
  if (own !== undefined && own.id !== shared?.id)
    throw lostClaims(`claims.db in ${folder} belongs to other receipts than those beside it`)
  if (own !== undefined && shared !== undefined && own.opened > shared.opened)
    throw lostClaims(`claims.db in ${folder} is older than the receipts beside it`)
  const next: Mark = { id: shared?.id ?? randomUUID(), opened: (shared?.opened ?? 0) + 1 }
  mark(db, 'claims', next)
  mark(db, 'main', next)
}

/** The error of a store whose keys are not there, with what to do. */
export function lostClaims(what: string): Error {
  return new Error(
    `${what}: without the keys in it, calls that ran could run again. Put the claims.db of this store back; where it is lost, ` +
      'move the whole folder away, keep it as evidence, and let no call of before be repeated',
  )
}

function markOf(db: DatabaseSync, file: 'main' | 'claims'): Mark | undefined {
  const row = db.prepare(`SELECT id, opened FROM ${file}.store`).get()
  return row === undefined ? undefined : { id: String(row['id']), opened: Number(row['opened']) }
}

function mark(db: DatabaseSync, file: 'main' | 'claims', { id, opened }: Mark): void {
  db.prepare(
    `INSERT INTO ${file}.store (one, id, opened) VALUES (1, ?, ?)
     ON CONFLICT (one) DO UPDATE SET id = excluded.id, opened = excluded.opened`,
  ).run(id, opened)
}
