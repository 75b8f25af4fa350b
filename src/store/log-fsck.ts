import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Bytes } from '../bytes/digest.ts'
import { HoldpointError } from '../errors.ts'
import { type Checkpoint, readCheckpoint } from '../log/checkpoint.ts'
import { sameBytes } from '../log/encoding.ts'
import { findFault, type LogFault } from '../log/fsck.ts'
import { readNote } from '../log/note.ts'
import { openNote } from '../log/open-note.ts'
import type { TileStorage } from '../log/ports.ts'
import { rootOf } from '../log/prove.ts'
import { type Arrival, CHECKPOINT_PATH, type LogLedger, type ReceiptSource, type SignedHead } from '../log/sequencer.ts'
import { TILE_WIDTH } from '../log/tile-layout.ts'
import { nodesOf, readTile } from '../log/tiles.ts'
import type { VerifierKey } from '../log/verifier-key.ts'
import { verifyEd25519 } from './log-crypto.ts'
import { logFiles } from './log-files.ts'
import { type LogLease, logFolder, tryLease } from './log-lease.ts'
import { SqliteLogLedger } from './log-ledger.ts'
import { receiptSource } from './log-source.ts'

/** What a look at every byte of a log found. */
export type LogExamination =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'whole'
      readonly size: number
      /** Were the index and the receipts of the store held against it too? Not while a gate has the lease, or where nothing can be written. */
      readonly index: 'examined' | 'in_use' | 'out_of_reach'
    }
  | ({ readonly kind: 'wrong' } & LogFault)

const PAGE = 4_096
const INDEX = 'log.db'
const ANEW = '"holdpoint log rebuild" makes it anew out of the tiles'

/**
 * Reads a whole log: writes its tiles once more out of its entries, follows every head that was signed, and looks for each leaf's
 * receipt in the store. Changes nothing.
 *
 * @param key the log's own, where it is known: without it the signature is not looked at
 */
export async function examineLog(storeFolder: string, key?: VerifierKey): Promise<LogExamination> {
  const files = logFiles(logFolder(storeFolder))
  return await examine(files, key, async (head) => {
    // To take the lease would make a new one.
    if (!existsSync(join(logFolder(storeFolder), INDEX)))
      return { path: INDEX, why: `is missing: put it back, or ${ANEW}` }
    const lease = leaseOf(storeFolder)
    if (lease === 'no_database')
      return { path: INDEX, why: `is no database any more: move it away and put a copy back, or ${ANEW}` }
    if (typeof lease === 'string') return lease
    try {
      const ledger = new SqliteLogLedger(lease.db)
      const index = {
        name: INDEX,
        remedy: `; ${ANEW}`,
        checkpoints: async () => ledger.checkpoints(),
        leaves: (from: number, most: number) => ledger.leaves(from, most),
      }
      return (await faultOfIndex({ index, files, source: receiptSource(storeFolder) }, head)) ?? 'examined'
    } finally {
      lease.close()
    }
  })
}

/** A log's index, to look at. */
export interface LogIndex extends Pick<LogLedger, 'leaves'> {
  /** What people call it. */
  readonly name: string
  /** What to do about one that is an old copy, behind a semicolon, where that is known. */
  readonly remedy: string
  /** Every head that was signed, the smallest first. */
  checkpoints(): Promise<readonly SignedHead[]>
}

/** The same of a log that is elsewhere than in a folder. */
export async function examineParts(
  parts: { readonly files: Files; readonly index: LogIndex; readonly source: Pick<ReceiptSource, 'entries'> },
  key?: VerifierKey,
): Promise<LogExamination> {
  return await examine(parts.files, key, async (head) => (await faultOfIndex(parts, head)) ?? 'examined')
}

type Files = Pick<TileStorage, 'read'>

async function examine(
  files: Files,
  key: VerifierKey | undefined,
  further: (head: Checkpoint) => Promise<LogFault | 'examined' | 'in_use' | 'out_of_reach'>,
): Promise<LogExamination> {
  const bytes = await files.read(CHECKPOINT_PATH)
  if (bytes === undefined) {
    const isBegun = (await files.read('tile/0/000')) !== undefined || (await files.read('tile/0/000.p/1')) !== undefined
    return isBegun ? wrong({ path: CHECKPOINT_PATH, why: 'is missing' }) : { kind: 'none' }
  }
  const head = await published(bytes, key)
  if ('why' in head) return wrong(head)
  const fault = await findFault({ storage: files, sha256: sha256Bytes }, head)
  if (fault !== undefined) return wrong(fault)
  const found = await further(head)
  return typeof found === 'string' ? { kind: 'whole', size: head.size, index: found } : wrong(found)
}

/** The lease, or why there is none to be had. */
function leaseOf(storeFolder: string): LogLease | 'in_use' | 'out_of_reach' | 'no_database' {
  try {
    return tryLease(storeFolder) ?? 'in_use'
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'ERR_STORE')
      return isNoDatabase(error.cause) ? 'no_database' : 'out_of_reach'
    throw error
  }
}

/** SQLITE_CORRUPT, SQLITE_NOTADB. */
function isNoDatabase(cause: unknown): boolean {
  return cause instanceof Error && 'errcode' in cause && (cause.errcode === 11 || cause.errcode === 26)
}

/** What stands in `checkpoint`, signed by the log's own key where that is given; or what is wrong with it. */
export async function published(bytes: Uint8Array, key: VerifierKey | undefined): Promise<Checkpoint | LogFault> {
  try {
    const note = readNote(bytes)
    const checkpoint = readCheckpoint(sha256Bytes, note.text)
    if (key === undefined) return checkpoint
    const opened = await openNote(note, [key], verifyEd25519)
    if (opened.kind === 'verified' && checkpoint.origin === key.name) return checkpoint
    return { path: CHECKPOINT_PATH, why: "is not signed with this log's key" }
  } catch (error) {
    if (!(error instanceof HoldpointError)) throw error
    return { path: CHECKPOINT_PATH, why: error.message }
  }
}

/** Holds the index against the tiles: its hashes, the heads over them, and the receipts that they are of. */
async function faultOfIndex(
  {
    index,
    files,
    source,
  }: { readonly index: LogIndex; readonly files: Files; readonly source: Pick<ReceiptSource, 'entries'> },
  head: Checkpoint,
): Promise<LogFault | undefined> {
  const log = { storage: files, sha256: sha256Bytes }
  const heads = await index.checkpoints()
  const newest = heads.at(-1)
  if (newest === undefined || newest.size < head.size)
    return {
      path: index.name,
      why: `knows of ${newest?.size ?? 0} leaves, and the checkpoint is of ${head.size}: it is an old copy${index.remedy}`,
    }
  if (!heads.some(({ size, root }) => size === head.size && sameBytes(root, head.root)))
    return {
      path: index.name,
      why: `has not signed the checkpoint of ${head.size} leaves that stands beside it: two histories were signed, or one of the two files is a copy`,
    }
  const beyond = newest.size === head.size ? undefined : await findFault(log, newest)
  if (beyond !== undefined) return beyond
  for (let from = 0; from < newest.size; from += PAGE) {
    const to = Math.min(from + PAGE, newest.size)
    const leaves = await index.leaves(from, to - from)
    const wrong = await firstUnlike(files, leaves, { from, to, size: newest.size })
    if (wrong !== undefined) return { path: index.name, why: `leaf ${wrong} is not the one in the tiles` }
    const readNode = nodesOf(log, newest.size)
    for (const { size, root } of heads.filter((one) => one.size > from && one.size <= to)) {
      if (!sameBytes(await rootOf(sha256Bytes, readNode, size), root))
        return { path: index.name, why: `the ${size} leaves in the tiles have not the root that was signed` }
    }
    const lost = await faultOf(() => source.entries(leaves))
    if (lost !== undefined) return { path: 'the store', why: lost }
  }
  return undefined
}

/** The first leaf of the index that the tiles have not. */
async function firstUnlike(
  files: Files,
  leaves: readonly Arrival[],
  { from, to, size }: { readonly from: number; readonly to: number; readonly size: number },
): Promise<number | undefined> {
  for (let first = from; first < to; first += TILE_WIDTH) {
    const at = { level: 0, index: first / TILE_WIDTH, width: Math.min(TILE_WIDTH, size - first) }
    for (const [index, hash] of (await readTile(files, at)).entries()) {
      const known = leaves[first - from + index]
      if (known === undefined || !sameBytes(known.hash, hash)) return first + index
    }
  }
  return undefined
}

async function faultOf(look: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await look()
    return undefined
  } catch (error) {
    if (error instanceof HoldpointError) return error.message
    throw error
  }
}

function wrong(fault: LogFault): LogExamination {
  return { kind: 'wrong', ...fault }
}
