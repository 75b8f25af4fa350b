import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { sha256Bytes } from '../bytes/digest.ts'
import { HoldpointError } from '../errors.ts'
import { leafHash } from '../log/merkle.ts'
import type { Arrival, Place, ReceiptSource } from '../log/sequencer.ts'
import { earliest, type Queue, timeOf } from './in-time.ts'
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
      return { arrivals: firstOf(queues), changed }
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

/** An arrival, and when its receipt says that it was signed. */
type Dated = Arrival & { readonly at: number }

/**
 * The earliest of several slots in their order, as far as it is known: behind a page that is full, more of its slot may stand.
 *
 * INVARIANT I6: what hands over to a key, or ends its time, stands in one slot, and what that key signs in another. Whoever
 * verifies the log goes by its order, which is for good.
 */
function firstOf(queues: readonly Queue<Dated>[]): readonly Arrival[] {
  const arrivals: Arrival[] = []
  for (;;) {
    const queue = earliest(queues)
    const row = queue?.rows[queue.next]
    if (queue === undefined || row === undefined) return arrivals
    queue.next += 1
    const { slot, row: number, hash } = row
    arrivals.push({ slot, row: number, hash })
    if (queue.next === PAGE) return arrivals
  }
}

function pageAfter(db: DatabaseSync, slot: number, after: number): readonly Dated[] {
  if (!hasReceipts(db)) return []
  const rows = db.prepare('SELECT id, hash, jws FROM receipts WHERE id > ? ORDER BY id LIMIT ?').all(after, PAGE)
  return rows.map((found) => {
    const row = Number(found['id'])
    const payload = payloadOf(found['jws'], { slot, row })
    const hash = leafHash(sha256Bytes, payload)
    if (encodeBase64url(hash) !== found['hash']) throw changedReceipt({ slot, row })
    return { slot, row, hash, at: timeOf(payload) }
  })
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

/** The bytes between the two dots: what the receipt's hash is over. */
function payloadOf(jws: unknown, place: Place): Uint8Array {
  const payload = typeof jws === 'string' ? jws.split('.')[1] : undefined
  if (payload === undefined) throw changedReceipt(place)
  try {
    return decodeBase64url(payload)
  } catch {
    throw changedReceipt(place)
  }
}

function changedReceipt({ slot, row }: Place): HoldpointError {
  return new HoldpointError('ERR_LOG', `receipt ${row} of slot ${slot} is gone, or was changed after it was stored`)
}
