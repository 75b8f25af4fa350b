import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { decodeBase64url } from '../bytes/base64url.ts'
import { crockford } from '../bytes/crockford.ts'
import type { Sidecar } from '../types.ts'
import { receiptOf } from './receipt-row.ts'
import { SqliteApprovals } from './sqlite-approvals.ts'
import { claimsPath, openDesk, openReadOnly, slotsIn } from './sqlite-files.ts'
import { type Answer, answered, type Job, type Kept, type Page, type Reply, type Work } from './sqlite-messages.ts'
import { SqliteOverrides } from './sqlite-overrides.ts'

const COLUMNS = 'id, ref, hash, stream, seq, prev, kind, jws'

/** Everything of a folder, to look at. Opens a file for one answer and closes it: it never stands in a writer's way. */
export class Shelf {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  run(jobs: readonly Job[]): readonly Reply[] {
    return jobs.map(({ id, work }) => answered(id, () => this.#do(work)))
  }

  #do(work: Work): Answer {
    switch (work.do) {
      case 'slots':
        return slotsIn(this.#folder)
      case 'page':
        return this.#in(work.slot, (db) => page(db, work.after, work.most))
      case 'sidecar':
        return this.#somewhere((db) => sidecarOf(db, work.hash))
      case 'kept':
        return this.#kept(work.hashes)
      case 'get':
        return this.#shared((db) =>
          hasTable(db, 'requests') ? new SqliteApprovals(db, 'main').get(work.ref, work.now) : undefined,
        )
      case 'pending':
        return (
          this.#shared((db) =>
            hasTable(db, 'requests') ? new SqliteApprovals(db, 'main').pending(work.now) : undefined,
          ) ?? []
        )
      case 'override-uses':
        return (
          this.#shared((db) => (hasTable(db, 'overrides') ? new SqliteOverrides(db, 'main').uses(work.id) : 0)) ?? 0
        )
      case 'close':
        return undefined
      default:
        throw new Error(`a reader does not do "${work.do}"`)
    }
  }

  #in<T>(slot: number, look: (db: DatabaseSync) => T): T {
    const db = openReadOnly(join(this.#folder, `receipts-${slot}.db`))
    try {
      return look(db)
    } finally {
      db.close()
    }
  }

  /** In the order that was asked for; what is not here is left out. */
  #kept(hashes: readonly string[]): readonly Kept[] {
    const found = new Map<string, Kept>()
    for (const slot of slotsIn(this.#folder)) {
      if (found.size === hashes.length) break
      this.#in(slot, (db) => {
        const find = db.prepare(
          `SELECT receipts.*, salt, request FROM receipts LEFT JOIN sidecars ON sidecars.receipt = receipts.id
           WHERE ref = ? AND hash = ?`,
        )
        for (const hash of hashes) {
          const row = found.has(hash) ? undefined : find.get(refOf(hash), hash)
          if (row === undefined) continue
          const sidecar = sidecarIn(row)
          found.set(hash, { receipt: receiptOf(row), ...(sidecar === undefined ? {} : { sidecar }) })
        }
      })
    }
    return hashes.flatMap((hash) => found.get(hash) ?? [])
  }

  #somewhere<T>(look: (db: DatabaseSync) => T | undefined): T | undefined {
    for (const slot of slotsIn(this.#folder)) {
      const found = this.#in(slot, look)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Looks at what all processes share; `undefined` where there is nothing yet. */
  #shared<T>(look: (db: DatabaseSync) => T): T | undefined {
    const path = claimsPath(this.#folder)
    if (!existsSync(path)) return undefined
    const db = openReadOnly(path)
    try {
      return look(db)
    } finally {
      db.close()
    }
  }
}

/** Where a person answers: approvals of a folder, without a slot. */
export class Desk {
  readonly #folder: string
  readonly #busyMs: number
  #open: { readonly db: DatabaseSync; readonly approvals: SqliteApprovals } | undefined

  constructor(folder: string, busyMs: number) {
    this.#folder = folder
    this.#busyMs = busyMs
  }

  run(jobs: readonly Job[]): readonly Reply[] {
    return jobs.map(({ id, work }) => answered(id, () => this.#do(work)))
  }

  #do(work: Work): Answer {
    if (work.do === 'close') {
      this.#open?.db.close()
      this.#open = undefined
      return undefined
    }
    const approvals = this.#approvals()
    switch (work.do) {
      case 'request':
        return this.#written(() => approvals.request(work.request, work.now))
      case 'find':
        return approvals.find(work.digest, work.now)
      case 'get':
        return approvals.get(work.ref, work.now)
      case 'pending':
        return approvals.pending(work.now)
      case 'answer':
        return this.#written(() => approvals.answer(work.ref, work.answer, work.now))
      case 'attended':
        return approvals.attended(work.now)
      case 'attend':
        approvals.attend(work.watcher, work.until)
        return undefined
      default:
        throw new Error(`a desk does not do "${work.do}"`)
    }
  }

  /** INVARIANT I4: what is read and what is written of it are one transaction: other processes answer too. */
  #written<T>(work: () => T): T {
    const db = this.#open?.db
    db?.exec('BEGIN IMMEDIATE')
    try {
      const done = work()
      db?.exec('COMMIT')
      return done
    } catch (cause) {
      db?.exec('ROLLBACK')
      throw cause
    }
  }

  #approvals(): SqliteApprovals {
    if (this.#open === undefined) {
      const db = openDesk(this.#folder, this.#busyMs)
      this.#open = { db, approvals: new SqliteApprovals(db, 'claims') }
    }
    return this.#open.approvals
  }
}

/** A file that no process of this version has opened yet may lack it. */
export function hasTable(db: DatabaseSync, name: string): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined
}

function page(db: DatabaseSync, after: number, most: number): Page {
  const rows = db.prepare(`SELECT ${COLUMNS} FROM receipts WHERE id > ? ORDER BY id LIMIT ?`).all(after, most)
  return { receipts: rows.map(receiptOf), last: Number(rows.at(-1)?.['id'] ?? after) }
}

function sidecarOf(db: DatabaseSync, hash: string): Sidecar | undefined {
  const row = db
    .prepare(
      'SELECT salt, request FROM receipts JOIN sidecars ON sidecars.receipt = receipts.id WHERE ref = ? AND hash = ?',
    )
    .get(refOf(hash), hash)
  return row === undefined ? undefined : sidecarIn(row)
}

function sidecarIn({ salt, request }: Record<string, unknown>): Sidecar | undefined {
  return typeof salt === 'string' && typeof request === 'string' ? { salt, request } : undefined
}

/** The id of a receipt, by which it is found. */
function refOf(hash: string): string {
  return `r_${crockford(decodeBase64url(hash).subarray(0, 16))}`
}
