/** Receipts of several slots in one row: by their own clocks, those of one slot as they came. */
import { decodeBase64url } from '../bytes/base64url.ts'

/** What stands in one slot from somewhere on, as far as it was read. */
export interface Queue<T extends { readonly at: number }> {
  rows: readonly T[]
  /** Which row comes next. */
  next: number
}

/** The queue whose next row is the earliest; of equals the first. `undefined` where all are empty. */
export function earliest<Q extends Queue<{ readonly at: number }>>(queues: readonly Q[]): Q | undefined {
  let found: Q | undefined
  for (const queue of queues) {
    const row = queue.rows[queue.next]
    const least = found?.rows[found.next]
    if (row !== undefined && (least === undefined || row.at < least.at)) found = queue
  }
  return found
}

/**
 * When a receipt says that it was signed, ms since epoch; 0 where it does not say.
 *
 * Gates of one store are on one host, so their clocks tell which of two processes came first, unless one was set back.
 */
export function timeOf(payload: Uint8Array): number {
  try {
    const { ts } = JSON.parse(new TextDecoder().decode(payload)) as { readonly ts?: unknown }
    return typeof ts === 'number' ? ts : 0
  } catch {
    // UNTRUSTED: whoever verifies finds out; here it only has a place.
    return 0
  }
}

/** One page of a slot. */
export interface SlotPage<T> {
  readonly receipts: readonly T[]
  /** Where the next page begins. */
  readonly last: number
}

/** Receipts in a page; fewer where there are many slots, of each of which one page is in memory. */
const PAGE = 256
const LEAST = 16

/** All receipts of these slots, the earliest first. */
export async function* inTime<T extends { readonly jws: string }>(
  slots: readonly number[],
  page: (slot: number, after: number, most: number) => Promise<SlotPage<T>>,
): AsyncGenerator<T> {
  const most = Math.max(LEAST, Math.floor(PAGE / Math.max(1, slots.length)))
  const queues = slots.map((slot) => ({ slot, last: 0, isRead: false, rows: [] as Timed<T>[], next: 0 }))
  for (;;) {
    for (const queue of queues) {
      if (queue.isRead || queue.next < queue.rows.length) continue
      const { receipts, last } = await page(queue.slot, queue.last, most)
      Object.assign(queue, { rows: receipts.map(timed), next: 0, last, isRead: receipts.length === 0 })
    }
    const queue = earliest(queues)
    const row = queue?.rows[queue.next]
    if (queue === undefined || row === undefined) return
    queue.next += 1
    yield row.receipt
  }
}

interface Timed<T> {
  readonly receipt: T
  readonly at: number
}

function timed<T extends { readonly jws: string }>(receipt: T): Timed<T> {
  return { receipt, at: timeOf(payloadIn(receipt.jws)) }
}

function payloadIn(jws: string): Uint8Array {
  try {
    return decodeBase64url(jws.split('.')[1] ?? '')
  } catch {
    return new Uint8Array()
  }
}
