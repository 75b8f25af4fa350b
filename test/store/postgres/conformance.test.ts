import { afterAll, beforeAll, describe } from 'vitest'
import { postgresStore } from '../../../src/postgres.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../../support/postgres-server.ts'
import { describeStore } from '../../support/store-conformance.ts'

describe.skipIf(!hasPostgres)('against a real server', () => {
  let server: PostgresServer
  let schemas = 0
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(async () => await server?.end())

  const open = (now: () => number) =>
    postgresStore({ connectionString: server.connectionString, schema: `store_${schemas}`, now })

  describeStore('postgres', {
    make: (now) => {
      schemas += 1
      return open(now)
    },
    reopen: open,
  })
})
