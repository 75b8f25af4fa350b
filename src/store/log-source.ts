import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { encodeBase64url } from '../bytes/base64url.ts'
import { HoldpointError } from '../errors.ts'
import type { Place, ReceiptSource } from '../log/sequencer.ts'
import { arrivalOf, type DatedArrival, firstOf, payloadOf } from './log-payload.ts'
import { claimsPath, openReadOnly, slotsIn } from './sqlite-files.ts'

/** Receipts of one slot in a page. */
const PAGE = 512

/** The id of the store in a folder. @throws HoldpointError ERR_STORE where there is none */
export function storeId(folder: string): string {
  const path = claimsPath(folder)
  const missing = new HoldpointError('ERR_STORE', `there is no holdpoint store in ${folder}`, { at: folder })
  if (!existsSync(path)) throw missing
  const db = openReadOnly(path)
  try {
    const isMade = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'store'").get() !== undefined
    const row = isMade ? db.prepare('SELECT id FROM store').get() : undefined
    if (row === undefined) throw missing
    return String(row['id'])
  } finally {
    db.close()
  }
}

function slotFile(slot: number): string {
  return `receipts-${slot}.db`
}

/** How many receipts a store has, by the number of the last one in each file. @throws HoldpointError, Error where one cannot be read */
export function receiptCount(folder: string): number {
  let count = 0
  for (const slot of slotsIn(folder)) {
    const db = openReadOnly(join(folder, slotFile(slot)))
    try {
      if (hasReceipts(db))
        count += Number(db.prepare('SELECT coalesce(max(id), 0) AS last FROM receipts').get()?.['last'])
    } finally {
      db.close()
    }
  }
  return count
}

/** The receipts in a store's folder, as the log takes them. Writes nothing, and never stands in a writer's way. */
export function receiptSource(folder: string): ReceiptSource {
  function inSlot<T>(slot: number, look: (db: DatabaseSync) => T): T {
    const path = join(folder, slotFile(slot))
    if (!existsSync(path)) {
      throw new HoldpointError('ERR_LOG', `${slotFile(slot)} is gone: the receipts of one process were left out`)
    }
    const db = openReadOnly(path)
    try {
      return look(db)
    } finally {
      db.close()
    }
  }

  return {
    newer: async (reached) => {
      const slots = slotsIn(folder)
      const changed = [...reached.keys()].filter((slot) => !slots.includes(slot))
      const queues = slots.map((slot) => ({
        next: 0,
        rows: inSlot(slot, (db) => {
          const last = reached.get(slot)
          if (last === undefined) return pageAfter(db, slot, 0)
          if (hashAt(db, last.row) === encodeBase64url(last.hash)) return pageAfter(db, slot, last.row)
          changed.push(slot)
          return pageAfter(db, slot, 0)
        }),
      }))
      return { arrivals: firstOf(queues, PAGE), changed }
    },
    entries: async (places) => {
      const entries: Uint8Array[] = new Array(places.length)
      for (const [slot, ofSlot] of bySlot(places)) {
        inSlot(slot, (db) => {
          const read = db.prepare('SELECT jws FROM receipts WHERE id = ?')
          for (const { row, index } of ofSlot) entries[index] = payloadOf(read.get(row)?.['jws'], { slot, row })
        })
      }
      return entries
    },
  }
}

function pageAfter(db: DatabaseSync, slot: number, after: number): readonly DatedArrival[] {
  if (!hasReceipts(db)) return []
  const rows = db.prepare('SELECT id, hash, jws FROM receipts WHERE id > ? ORDER BY id LIMIT ?').all(after, PAGE)
  return rows.map(({ id, hash, jws }) => arrivalOf({ slot, row: Number(id) }, { hash, jws }))
}

function hashAt(db: DatabaseSync, row: number): string | undefined {
  if (!hasReceipts(db)) return undefined
  const found = db.prepare('SELECT hash FROM receipts WHERE id = ?').get(row)
  return found === undefined ? undefined : String(found['hash'])
}

/** A slot that a process is just making has no tables yet. */
function hasReceipts(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'receipts'").get() !== undefined
}

function bySlot(places: readonly Place[]): ReadonlyMap<number, { readonly row: number; readonly index: number }[]> {
  const slots = new Map<number, { readonly row: number; readonly index: number }[]>()
  for (const [index, { slot, row }] of places.entries()) {
    const ofSlot = slots.get(slot) ?? []
    ofSlot.push({ row, index })
    slots.set(slot, ofSlot)
  }
  return slots
}
