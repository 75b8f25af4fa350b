import { existsSync } from 'node:fs'
import type { ApprovalRecord, ApprovalStore, Receipt, Sidecar } from '../types.ts'
import { inTime } from './in-time.ts'
import { WorkerClient } from './sqlite-client.ts'
import { claimsPath } from './sqlite-files.ts'
import type { Kept } from './sqlite-messages.ts'

const READ_DEADLINE_MS = 10_000
const DESK_BUSY_MS = 2_000
const PAGE = 256

/** How far a reader has come: the last row seen in each slot. */
export type Cursor = ReadonlyMap<number, number>

/** A store's folder, to look at: takes no slot, writes nothing, creates nothing. */
export interface StoreReader {
  /** All receipts, by the time that they say; those of one slot, and so of one stream, as they came. Memory stays bounded. */
  receipts(): AsyncIterable<Receipt>
  /** Receipts that came after `cursor` (from the very first without one), at most some hundreds at a time. */
  newer(cursor?: Cursor): Promise<{ readonly receipts: readonly Receipt[]; readonly cursor: Cursor }>
  sidecar(receiptHash: string): Promise<Sidecar | undefined>
  /** Receipts by their hashes, at most some hundreds at a time, in that order and with what stands beside them; those that are here. */
  kept(hashes: readonly string[]): Promise<readonly Kept[]>
  get(ref: string): Promise<ApprovalRecord | undefined>
  pending(): Promise<readonly ApprovalRecord[]>
  /** How often an override was used here. */
  overrideUses(id: string): Promise<number>
  close(): Promise<void>
}

/** Is there a store in this folder? */
export function hasStore(folder: string): boolean {
  return existsSync(claimsPath(folder))
}

/** Opens a store's folder read-only, also while other processes write to it. Failures come as `HoldpointError` `ERR_STORE`. */
export function openReader(folder: string, options: { readonly now?: () => number } = {}): StoreReader {
  const now = options.now ?? Date.now
  const client = new WorkerClient({ role: 'reader', folder, busyMs: DESK_BUSY_MS }, { deadlineMs: READ_DEADLINE_MS })
  return {
    receipts: async function* () {
      yield* inTime(await client.ask({ do: 'slots' }), (slot, after, most) =>
        client.ask({ do: 'page', slot, after, most }),
      )
    },
    newer: async (cursor) => {
      const reached = new Map(cursor)
      const receipts: Receipt[] = []
      for (const slot of await client.ask({ do: 'slots' })) {
        const page = await client.ask({ do: 'page', slot, after: reached.get(slot) ?? 0, most: PAGE })
        receipts.push(...page.receipts)
        reached.set(slot, page.last)
      }
      return { receipts, cursor: reached }
    },
    sidecar: (hash) => client.ask({ do: 'sidecar', hash }),
    kept: (hashes) => client.ask({ do: 'kept', hashes }),
    get: (ref) => client.ask({ do: 'get', ref, now: now() }),
    pending: () => client.ask({ do: 'pending', now: now() }),
    overrideUses: (id) => client.ask({ do: 'override-uses', id }),
    close: () => client.stop(),
  }
}

/** Where a person answers requests of a running gate: the approvals of a store's folder, without taking a slot. */
export function openDesk(
  folder: string,
  options: { readonly now?: () => number } = {},
): ApprovalStore & { close(): Promise<void> } {
  const now = options.now ?? Date.now
  const client = new WorkerClient({ role: 'desk', folder, busyMs: DESK_BUSY_MS }, { deadlineMs: READ_DEADLINE_MS })
  return {
    request: (request) => client.ask({ do: 'request', request, now: now() }),
    find: (digest) => client.ask({ do: 'find', digest, now: now() }),
    get: (ref) => client.ask({ do: 'get', ref, now: now() }),
    pending: () => client.ask({ do: 'pending', now: now() }),
    answer: (ref, answer) => client.ask({ do: 'answer', ref, answer, now: now() }),
    attended: () => client.ask({ do: 'attended', now: now() }),
    attend: (watcher, until) => client.ask({ do: 'attend', watcher, until }),
    close: async () => {
      try {
        await client.ask({ do: 'close' })
      } finally {
        await client.stop()
      }
    },
  }
}
