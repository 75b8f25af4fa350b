import type { PostgresPlace } from './log-book.ts'
import { ownPool } from './pool.ts'
import { quotedSchema } from './schema.ts'
import { Session } from './session.ts'
import { troubleOf } from './trouble.ts'

/**
 * Asks a server for what a gate would, and leaves everything as it is: takes no slot and makes no table.
 *
 * @returns its database, and whether a store is there
 * @throws HoldpointError ERR_STORE for a server that would lose what it acknowledges, or that cannot be reached
 */
export async function probePostgres({ connectionString, schema, deadlineMs }: PostgresPlace): Promise<{
  readonly place: string
  readonly isMade: boolean
}> {
  const source = ownPool(connectionString, schema, deadlineMs)
  try {
    const session = await Session.open(await source.pool(), deadlineMs)
    try {
      const [row] = await session.transaction('write', () =>
        session.query({ text: 'SELECT current_database()::text AS name, to_regclass($1) IS NOT NULL AS made' }, [
          `${quotedSchema(schema)}.store`,
        ]),
      )
      const place = `PostgreSQL database ${String(row?.['name'])}, schema ${schema}`
      return { place, isMade: row?.['made'] === true }
    } finally {
      session.end()
    }
  } catch (cause) {
    throw troubleOf(cause, source.place)
  } finally {
    await source.end()
  }
}
