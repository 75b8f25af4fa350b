/** A store's log, wherever the store is: a place among those who would take it forward, and eyes on it. */

import { sha256Bytes } from '../bytes/digest.ts'
import { connectionOf } from '../config/state-folder.ts'
import { logSigner } from '../log/log-signer.ts'
import type { VerifierKey } from '../log/verifier-key.ts'
import { type LogBook, type LogTerms, openLog } from '../store/log-book.ts'
import { type Copied, copyLog } from '../store/log-copy.ts'
import { logFiles } from '../store/log-files.ts'
import { examineLog, type LogExamination } from '../store/log-fsck.ts'
import { logFolder, tryLease } from '../store/log-lease.ts'
import { type LogReader, openLogReader } from '../store/log-reader.ts'
import { receiptCount, storeId } from '../store/log-source.ts'
import {
  copyPostgresLog,
  examinePostgresLog,
  openPostgresLogReader,
  postgresLog,
  postgresLogKey,
} from '../store/postgres/log-book.ts'
import { hasStore } from '../store/sqlite-reader.ts'
import { logTerms } from './open.ts'
import type { LogSetup } from './setup.ts'

/** Who would take a log forward. */
export interface LogSeat {
  /** Has any gate begun the store? @throws HoldpointError ERR_STORE */
  hasStore(): Promise<boolean>
  /** Leaves under the checkpoint that stands there. */
  published(): Promise<number>
  /** How many receipts the store has. */
  receipts(): Promise<number>
  /** Takes the lease and opens the log; `undefined` while another has it. @throws HoldpointError ERR_LOG, ERR_KEY, ERR_STORE */
  take(): Promise<LogBook | undefined>
  close(): Promise<void>
}

/** @throws HoldpointError ERR_CONFIG, ERR_KEY */
export function logSeat(setup: LogSetup): LogSeat {
  const terms = logTerms(setup)
  if (setup.store.kind === 'postgres') return postgresLog(connectionOf(setup.store, process.env), terms)
  return folderSeat(setup.store.folder, terms)
}

function folderSeat(folder: string, terms: LogTerms): LogSeat {
  return {
    hasStore: async () => hasStore(folder),
    published: async () => (await openLogReader(folder).head())?.size ?? 0,
    receipts: async () => receiptCount(folder),
    take: async () => {
      const lease = tryLease(folder)
      return lease === undefined ? undefined : await openLog(folder, { ...terms, lease })
    },
    close: async () => undefined,
  }
}

/** Reads the log while anybody may take it forward. */
export function logReaderOf({ store }: Pick<LogSetup, 'store'>): LogReader & { close(): Promise<void> } {
  if (store.kind === 'postgres') return openPostgresLogReader(connectionOf(store, process.env))
  return { ...openLogReader(store.folder), close: async () => undefined }
}

/** Copies the log's files into a folder, for a static host. @throws HoldpointError as `copyLog` */
export async function copyOf({ store }: LogSetup, folder: string): Promise<Copied | undefined> {
  const to = logFiles(folder)
  return store.kind === 'postgres'
    ? await copyPostgresLog(connectionOf(store, process.env), to)
    : await copyLog(logFiles(logFolder(store.folder)), to)
}

/** Reads all of it. @throws HoldpointError */
export async function examine(setup: LogSetup): Promise<LogExamination> {
  const key = await logKeyOf(setup)
  return setup.store.kind === 'postgres'
    ? await examinePostgresLog(connectionOf(setup.store, process.env), key)
    : await examineLog(setup.store.folder, key)
}

/** The log's public key, under its name. @throws HoldpointError ERR_STORE where neither a store nor `log.origin` names it */
export async function logKeyOf(setup: LogSetup): Promise<VerifierKey> {
  const { signer } = logTerms(setup)
  const { store, origin } = setup
  if (store.kind === 'postgres')
    return await postgresLogKey(connectionOf(store, process.env), {
      signer,
      ...(origin === undefined ? {} : { origin }),
    })
  return logSigner(sha256Bytes, signer, origin ?? `holdpoint/${storeId(store.folder)}`).key
}
