import type { Store } from '../types.ts'
import { WorkerClient } from './sqlite-client.ts'
import { openReader, type StoreReader } from './sqlite-reader.ts'

/** How long the store may take to answer, ms. */
const DEFAULT_DEADLINE_MS = 5_000
/** Opening starts a thread, waits for its turn among other processes and may recover a log: it may take longer, ms. */
const OPENING_MS = 30_000
/** How long another process's lock on `claims.db` is waited for, ms. */
const DEFAULT_BUSY_MS = 1_000

/**
 * The embedded durable store: SQLite in a folder, written by a thread of its own.
 *
 * Layout: one `receipts-<n>.db` for each live process, and one `claims.db` shared by all of them, so that call keys,
 * approvals and session sums are unique across processes. Everything that is acknowledged was synced to disk.
 *
 * Every function rejects with `HoldpointError` `ERR_STORE` when it is not known whether the work was done, at the latest after
 * `deadlineMs`. Nothing is opened before `open`.
 */
export function createSqliteStore(options: {
  /** Created with mode 0700 when it does not exist. */
  readonly folder: string
  readonly now?: () => number
  readonly deadlineMs?: number
  readonly busyMs?: number
}): Store {
  const { folder } = options
  const now = options.now ?? Date.now
  const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS
  let slot: number | undefined
  const client = new WorkerClient(
    { role: 'slot', folder, busyMs: options.busyMs ?? DEFAULT_BUSY_MS },
    // A thread that replaces a dead one goes on in the same slot: its live permits are still this process's.
    { deadlineMs, onRestart: (send) => send({ do: 'open', now: now(), ...(slot === undefined ? {} : { slot }) }) },
  )
  let reading: StoreReader | undefined
  function reader(): StoreReader {
    reading ??= openReader(folder, { now })
    return reading
  }
  return {
    open: async () => {
      const { slot: taken, ...opening } = await client.ask(
        { do: 'open', now: now(), ...(slot === undefined ? {} : { slot }) },
        Math.max(deadlineMs, OPENING_MS),
      )
      slot = taken
      return opening
    },
    append: (receipt, beside) => client.ask({ do: 'append', receipt, ...beside }),
    commitDecision: (receipt, claim, sidecar) =>
      client.ask({ do: 'commit', receipt, claim, now: now(), ...(sidecar === undefined ? {} : { sidecar }) }),
    holder: (callKey) => client.ask({ do: 'holder', callKey }),
    read: (session, time) => client.ask({ do: 'read', session, now: time }),
    request: (request) => client.ask({ do: 'request', request, now: now() }),
    find: (digest) => client.ask({ do: 'find', digest, now: now() }),
    get: (ref) => client.ask({ do: 'get', ref, now: now() }),
    pending: () => client.ask({ do: 'pending', now: now() }),
    answer: (ref, answer) => client.ask({ do: 'answer', ref, answer, now: now() }),
    attended: () => client.ask({ do: 'attended', now: now() }),
    attend: (watcher, until) => client.ask({ do: 'attend', watcher, until }),
    receipts: () => reader().receipts(),
    sidecar: (hash) => reader().sidecar(hash),
    close: async () => {
      try {
        await client.ask({ do: 'close' })
      } finally {
        await Promise.all([client.stop(), reading?.close()])
      }
    },
  }
}
