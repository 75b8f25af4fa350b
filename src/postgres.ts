/**
 * `holdpoint/postgres`: the store for gates on several machines. Needs the package `pg`.
 */
export { postgresLogSchema } from './store/postgres/log-schema.ts'
export { postgresSchema } from './store/postgres/schema.ts'
export type { PostgresClient, PostgresPool } from './store/postgres/session.ts'
export { type PostgresStore, type PostgresStoreOptions, postgresStore } from './store/postgres/store.ts'
