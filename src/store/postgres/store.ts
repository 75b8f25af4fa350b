import { HoldpointError } from '../../errors.ts'
import type { Store } from '../../types.ts'
import type { StoreReader } from '../sqlite-reader.ts'
import { givenPool, ownPool } from './pool.ts'
import { PostgresReader } from './reader.ts'
import { pooledReads } from './reads.ts'
import { quotedSchema } from './schema.ts'
import type { PostgresPool } from './session.ts'
import { Writer } from './writer.ts'

/** How long the database may take to answer, ms. */
const DEFAULT_DEADLINE_MS = 5_000

/** Where the database is, and how it is used. */
export type PostgresStoreOptions = {
  /** Made when it is not there. Default: `holdpoint`. */
  readonly schema?: string
  /** How long the database may take for any answer, ms. Default 5000, at most 60000. */
  readonly deadlineMs?: number
  readonly now?: () => number
} & (
  | {
      /** A `Pool` of `pg`. One of its connections is kept for as long as the store is open; another is used to read. */
      readonly pool: PostgresPool
    }
  | {
      /** As `pg` takes it; its password stays out of every message. */
      readonly connectionString: string
    }
)

/**
 * A store in PostgreSQL. Before it is opened, and without a slot, it already answers whoever reads receipts and whoever answers a
 * request for approval.
 */
export type PostgresStore = Store & Pick<StoreReader, 'newer' | 'kept' | 'overrideUses'>

/**
 * The store for gates on several machines: call keys, approvals and session sums are unique across all of them. Everything that is
 * acknowledged was synced to disk by the server.
 *
 * Every function rejects with `HoldpointError` `ERR_STORE` when it is not known whether the work was done, at the latest after
 * `deadlineMs`. Nothing is connected before the first question.
 *
 * @throws HoldpointError ERR_CONFIG for options that cannot be used
 * @example
 * const gate = createGate({ effects: { store: postgresStore({ pool: new Pool() }) } })
 */
export function postgresStore(options: PostgresStoreOptions): PostgresStore {
  const schema = options.schema ?? 'holdpoint'
  quotedSchema(schema)
  const deadlineMs = checkedDeadline(options.deadlineMs ?? DEFAULT_DEADLINE_MS)
  const now = options.now ?? Date.now
  const source =
    'pool' in options ? givenPool(options.pool, schema) : ownPool(options.connectionString, schema, deadlineMs)
  const writer = new Writer(source, { schema, deadlineMs, now })
  const reader = new PostgresReader(pooledReads(source, deadlineMs), schema)
  return {
    open: () => writer.open(),
    append: (receipt, beside) => writer.ask({ do: 'append', receipt, ...beside }),
    commitDecision: (receipt, claim, sidecar) =>
      writer.ask({ do: 'commit', receipt, claim, now: moment(now()), ...(sidecar === undefined ? {} : { sidecar }) }),
    holder: (callKey) => writer.ask({ do: 'holder', callKey }),
    read: (session, time) => writer.ask({ do: 'read', session, now: time }),
    request: (request) => writer.ask({ do: 'request', request, now: moment(now()) }),
    find: (digest) => writer.ask({ do: 'find', digest, now: moment(now()) }),
    get: (ref) => writer.ask({ do: 'get', ref, now: moment(now()) }),
    pending: () => writer.ask({ do: 'pending', now: moment(now()) }),
    answer: (ref, answer) => writer.ask({ do: 'answer', ref, answer, now: moment(now()) }),
    attended: () => writer.ask({ do: 'attended', now: moment(now()) }),
    attend: (watcher, until) => writer.ask({ do: 'attend', watcher, until: moment(until) }),
    receipts: () => reader.receipts(),
    newer: (cursor) => reader.newer(cursor),
    sidecar: (hash) => reader.sidecar(hash),
    kept: (hashes) => reader.kept(hashes),
    overrideUses: (id) => reader.overrideUses(id),
    close: async () => {
      try {
        await writer.close()
      } finally {
        await source.end()
      }
    },
  }
}

function checkedDeadline(ms: number): number {
  if (Number.isFinite(ms) && ms > 0 && ms <= 60_000) return ms
  throw new HoldpointError('ERR_CONFIG', '"deadlineMs" is a number of milliseconds, more than 0 and at most 60000', {
    at: 'postgresStore options',
  })
}

/** Whole milliseconds, as the tables have them. */
function moment(ms: number): number {
  return Math.floor(ms)
}
