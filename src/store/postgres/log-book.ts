import { sha256Bytes } from '../../bytes/digest.ts'
import { logSigner } from '../../log/log-signer.ts'
import type { TileStorage } from '../../log/ports.ts'
import { Sequencer } from '../../log/sequencer.ts'
import { type VerifierKey, writeVerifierKey } from '../../log/verifier-key.ts'
import type { LogBook, LogTerms } from '../log-book.ts'
import { type Copied, copyLog } from '../log-copy.ts'
import { examineParts, type LogExamination } from '../log-fsck.ts'
import type { LogIdentity } from '../log-ledger.ts'
import { type LogReader, logReader } from '../log-reader.ts'
import { heldFiles, tableFiles } from './log-files.ts'
import { LogCandidate, type LogHolder } from './log-holder.ts'
import { PostgresLogIndex, PostgresLogLedger } from './log-ledger.ts'
import { tableReceipts } from './log-source.ts'
import { type EndingSource, ownPool } from './pool.ts'
import { pooledReads } from './reads.ts'
import { quotedSchema } from './schema.ts'

/** Where a store in PostgreSQL is. */
export interface PostgresPlace {
  readonly connectionString: string
  readonly schema: string
  /** How long the database may take for any answer, ms. */
  readonly deadlineMs: number
}

/** The log of a store in PostgreSQL, by whoever would take it forward. */
export interface PostgresLogSeat {
  /** Has any gate begun the store? @throws HoldpointError ERR_STORE */
  hasStore(): Promise<boolean>
  /** Leaves under the checkpoint that stands there. */
  published(): Promise<number>
  /** How many receipts the store has. */
  receipts(): Promise<number>
  /** Takes the lease and opens the log; `undefined` while another has it. @throws HoldpointError ERR_LOG, ERR_STORE */
  take(): Promise<LogBook | undefined>
  close(): Promise<void>
}

type Terms = Pick<LogTerms, 'signer' | 'origin' | 'witnesses' | 'now'>

/** A place among those who would take the log of a store forward: of all gates of all machines, one does. */
export function postgresLog({ connectionString, schema, deadlineMs }: PostgresPlace, terms: Terms): PostgresLogSeat {
  return seatAmong(ownPool(connectionString, schema, deadlineMs), { schema, deadlineMs }, terms)
}

/** The same, over connections from elsewhere. */
export function seatAmong(
  source: EndingSource,
  { schema, deadlineMs }: Omit<PostgresPlace, 'connectionString'>,
  terms: Terms,
): PostgresLogSeat {
  const candidate = new LogCandidate(source, { schema, deadlineMs })
  const reads = pooledReads(source, deadlineMs)
  return {
    hasStore: () => candidate.hasStore(),
    published: async () => (await logReader(tableFiles(reads, schema)).head())?.size ?? 0,
    receipts: () => new PostgresLogIndex(reads, schema).receipts(),
    take: async () => {
      const taken = await candidate.take((store) => {
        const { key } = signerOf(terms, store)
        return { store, origin: key.name, key: writeVerifierKey(key) }
      })
      return taken === undefined ? undefined : bookOf(taken.holder, { ...terms, ...taken.identity }, schema)
    },
    close: async () => {
      candidate.close()
      await source.end()
    },
  }
}

function bookOf(holder: LogHolder, terms: Terms & LogIdentity, schema: string): LogBook {
  const files = heldFiles(holder, schema)
  const ledger = new PostgresLogLedger(holder, schema)
  const sequencer = new Sequencer({
    source: tableReceipts(holder, schema),
    ledger,
    storage: files,
    sha256: sha256Bytes,
    signer: logSigner(sha256Bytes, terms.signer, terms.origin),
    now: terms.now ?? Date.now,
    ...(terms.witnesses === undefined ? {} : { witnesses: terms.witnesses }),
  })
  return {
    origin: terms.origin,
    key: terms.key,
    step: async () => {
      const before = (await ledger.head())?.size ?? 0
      const report = await sequencer.step()
      if (report.signed) await files.tidy(before, report.head?.size ?? before)
      return report
    },
    close: () => holder.release(),
  }
}

/** Reads the log of a store in PostgreSQL while anybody may take it forward. */
export function openPostgresLogReader(place: PostgresPlace): LogReader & { close(): Promise<void> } {
  const source = ownPool(place.connectionString, place.schema, place.deadlineMs)
  const reads = pooledReads(source, place.deadlineMs)
  return { ...logReader(tableFiles(reads, place.schema)), close: () => source.end() }
}

/** Copies the log's files to where a static host has them. @throws HoldpointError as `copyLog` */
export async function copyPostgresLog(place: PostgresPlace, to: TileStorage): Promise<Copied | undefined> {
  const source = ownPool(place.connectionString, place.schema, place.deadlineMs)
  try {
    return await copyLog(tableFiles(pooledReads(source, place.deadlineMs), place.schema), to)
  } finally {
    await source.end()
  }
}

/** Reads a whole log, its index and the receipts that it is of: while it is kept, too. Changes nothing. */
export async function examinePostgresLog(place: PostgresPlace, key?: VerifierKey): Promise<LogExamination> {
  const { schema } = place
  const source = ownPool(place.connectionString, schema, place.deadlineMs)
  const reads = pooledReads(source, place.deadlineMs)
  try {
    const parts = {
      files: tableFiles(reads, schema),
      index: new PostgresLogIndex(reads, schema),
      source: tableReceipts(reads, schema),
    }
    return await examineParts(parts, key)
  } finally {
    await source.end()
  }
}

/** The log's public key under its name. @throws HoldpointError ERR_STORE where neither the store nor `origin` names it */
export async function postgresLogKey(place: PostgresPlace, terms: Terms): Promise<VerifierKey> {
  if (terms.origin !== undefined) return signerOf(terms, '').key
  const source = ownPool(place.connectionString, place.schema, place.deadlineMs)
  try {
    const [row] = await pooledReads(source, place.deadlineMs).read((session) =>
      session.query({ text: `SELECT id FROM ${quotedSchema(place.schema)}.store` }),
    )
    return signerOf(terms, String(row?.['id'])).key
  } finally {
    await source.end()
  }
}

function signerOf({ signer, origin }: Terms, store: string): ReturnType<typeof logSigner> {
  return logSigner(sha256Bytes, signer, origin ?? `holdpoint/${store}`)
}
