/** Where connections to PostgreSQL come from: a program's own pool, or one that is made when it is first needed. */
import pTimeout from 'p-timeout'
import { HoldpointError } from '../../errors.ts'
import type { PostgresPool, Source } from './session.ts'

/** One connection writes, one reads. */
const OWN_CONNECTIONS = 2

/** A source that is ended with the store. */
export interface EndingSource extends Source {
  end(): Promise<void>
}

/** A program's own pool stays open: it is not ours to end. */
export function givenPool(pool: PostgresPool, schema: string): EndingSource {
  return { pool: async () => pool, place: `PostgreSQL schema ${schema}`, end: async () => undefined }
}

/** A pool of our own, made when it is first needed, and again when the store is opened after it was closed. */
export function ownPool(connectionString: string, schema: string, deadlineMs: number): EndingSource {
  let making: Promise<PostgresPool & { end(): Promise<void> }> | undefined
  return {
    place: `PostgreSQL schema ${schema}`,
    pool: async () => {
      making ??= makePool(connectionString, deadlineMs)
      return await making
    },
    end: async () => {
      const made = making
      making = undefined
      const pool = await made?.catch(() => undefined)
      // Connections that a server does not let go must not keep the gate from ending.
      if (pool !== undefined) await pTimeout(pool.end(), { milliseconds: deadlineMs, fallback: () => undefined })
    },
  }
}

async function makePool(
  connectionString: string,
  deadlineMs: number,
): Promise<PostgresPool & { end(): Promise<void> }> {
  const { Pool } = (await importPg()).default
  const pool = new Pool({
    connectionString,
    max: OWN_CONNECTIONS,
    connectionTimeoutMillis: deadlineMs,
    idleTimeoutMillis: 10_000,
    allowExitOnIdle: true,
    keepAlive: true,
    application_name: 'holdpoint',
  })
  // A connection that breaks while it is idle is nobody's loss; without a listener it would end the process.
  pool.on('error', () => undefined)
  return pool
}

async function importPg(): Promise<typeof import('pg')> {
  try {
    return await import('pg')
  } catch (cause) {
    throw new HoldpointError('ERR_STORE', 'the package pg is not installed: npm install pg', { cause })
  }
}
