import { connectionOf } from '../config/state-folder.ts'
import { postgresStore } from '../store/postgres/store.ts'
import { openDesk } from '../store/sqlite-reader.ts'
import type { StoreAt } from './receipts.ts'

/** Where a person answers. */
export type Desk = ReturnType<typeof openDesk>

/** The desk of a store, wherever that is. */
export function deskOf(at: StoreAt): Desk {
  return typeof at === 'string' ? openDesk(at) : postgresStore(connectionOf(at, process.env))
}
