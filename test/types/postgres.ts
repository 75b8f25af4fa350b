/** What a user of PostgreSQL may rely on in their editor. Compiled by `tsc -p test/types`; it never runs. */
import pg from 'pg'
import { createGate, type Store } from '../../src/index.ts'
import { type PostgresPool, type PostgresStore, postgresStore } from '../../src/postgres.ts'

const pool = new pg.Pool()

// The pool of a program is taken as it is, and what comes out is a store like every other.
export const given: PostgresPool = pool
export const stores: readonly Store[] = [
  postgresStore({ pool }),
  postgresStore({ connectionString: 'postgres://127.0.0.1/shop', schema: 'shop', deadlineMs: 1_000 }),
]
createGate({ effects: { store: postgresStore({ pool }) } })
export const newer = async (store: PostgresStore): Promise<readonly string[]> =>
  (await store.newer()).receipts.map(({ jws }) => jws)

// @ts-expect-error it is said where the database is
postgresStore({ schema: 'shop' })
// @ts-expect-error an environment variable may not be there
postgresStore({ connectionString: process.env['DATABASE_URL'] })
// @ts-expect-error one connection is no pool: it could not be had again after it broke
postgresStore({ pool: new pg.Client() })
