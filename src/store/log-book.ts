import { setTimeout as delay } from 'node:timers/promises'
import { decodeBase64url } from '../bytes/base64url.ts'
import { sha256Bytes } from '../bytes/digest.ts'
import { HoldpointError } from '../errors.ts'
import { logSigner } from '../log/log-signer.ts'
import type { Hash } from '../log/ports.ts'
import { proveInclusion, rootOf } from '../log/prove.ts'
import { Sequencer, type SignedHead, type StepReport } from '../log/sequencer.ts'
import { consistencyIn, nodesOf, type TileLog } from '../log/tiles.ts'
import { writeVerifierKey } from '../log/verifier-key.ts'
import type { Witnesses } from '../log/witnesses.ts'
import type { Signer } from '../types.ts'
import { type LogFiles, logFiles } from './log-files.ts'
import { type LogLease, logFolder, tryLease } from './log-lease.ts'
import { type LogIdentity, SqliteLogLedger } from './log-ledger.ts'
import { receiptSource, storeId } from './log-source.ts'

/** How a log is to be kept. */
export interface LogTerms {
  /** Signs checkpoints, and nothing else: an Ed25519 key of its own. */
  readonly signer: Signer
  /** The log's name. Default `holdpoint/` and the id of the store. */
  readonly origin?: string
  readonly witnesses?: Witnesses
  /** Wall clock, ms since epoch. */
  readonly now?: () => number
  /** How long to wait for whoever takes the log forward now, ms. Default 0: not at all. */
  readonly waitMs?: number
  /** The lease, where the caller has it already. */
  readonly lease?: LogLease
}

/** A store's log, by whoever holds its lease, wherever the store is. */
export interface LogBook {
  readonly origin: string
  /** The log's public key: a C2SP verifier key, for witnesses and auditors. */
  readonly key: string
  /** Gives a leaf to every receipt that is there now, signs, asks witnesses. @throws HoldpointError ERR_LOG, ERR_STORE */
  step(): Promise<StepReport>
  /** Gives the lease back. */
  close(): Promise<void>
}

/** The log of a store in a folder. */
export interface LogHandle extends LogBook {
  /** The log's own folder: `checkpoint` and `tile/…`, as C2SP tlog-tiles serves them. */
  readonly folder: string
  /** The newest signed head; `undefined` while nothing was logged. */
  head(): SignedHead | undefined
  /** @param hash of a receipt, as `Receipt.hash` */
  leafOf(hash: string): number | undefined
  /** Every head that was signed, the smallest first. */
  checkpoints(): readonly SignedHead[]
  /** The path from a leaf to the root of the first `size` leaves. @throws RangeError beyond the head */
  proveInclusion(leaf: number, size: number): Promise<readonly Hash[]>
  /** From the tree of `from` leaves to that of `to`; checked. @throws RangeError unless 1 ≤ from ≤ to ≤ the head */
  proveConsistency(from: number, to: number): Promise<readonly Hash[]>
}

/** How often the lease is tried for, ms: so much longer than its holder's life is the log without one. */
export const LEASE_EVERY_MS = 250

/**
 * Opens the log of a store, and begins it where there is none.
 *
 * @param storeFolder the store's folder; the log is in `log` below it
 * @throws HoldpointError ERR_STORE while another process has the lease; ERR_LOG where the log is another's
 */
export async function openLog(storeFolder: string, terms: LogTerms): Promise<LogHandle> {
  const lease = terms.lease ?? (await leaseWithin(storeFolder, terms.waitMs ?? 0))
  try {
    return handleOf(storeFolder, terms, lease)
  } catch (cause) {
    lease.close()
    throw cause
  }
}

/** The lease, tried for as long. @throws HoldpointError ERR_STORE while another process has it */
export async function leaseWithin(storeFolder: string, waitMs: number): Promise<LogLease> {
  const until = performance.now() + waitMs
  for (;;) {
    const lease = tryLease(storeFolder)
    if (lease !== undefined) return lease
    if (performance.now() >= until) {
      throw new HoldpointError('ERR_STORE', `another process takes the log in ${logFolder(storeFolder)} forward`, {
        at: logFolder(storeFolder),
      })
    }
    await delay(Math.min(LEASE_EVERY_MS, Math.max(1, until - performance.now())))
  }
}

function handleOf(storeFolder: string, terms: LogTerms, lease: LogLease): LogHandle {
  const folder = logFolder(storeFolder)
  const store = storeId(storeFolder)
  const signer = logSigner(sha256Bytes, terms.signer, terms.origin ?? `holdpoint/${store}`)
  const key = writeVerifierKey(signer.key)
  const ledger = new SqliteLogLedger(lease.db)
  refuseAnothers(ledger.identity({ store, origin: signer.key.name, key }), { store, origin: signer.key.name, key })
  const files = guarded(logFiles(folder), lease)
  const log: TileLog = { storage: files, sha256: sha256Bytes }
  const sequencer = new Sequencer({
    source: receiptSource(storeFolder),
    ledger,
    storage: files,
    sha256: sha256Bytes,
    signer,
    now: terms.now ?? Date.now,
    ...(terms.witnesses === undefined ? {} : { witnesses: terms.witnesses }),
  })
  const headFor = (size: number): SignedHead => {
    const head = ledger.headNow()
    if (head === undefined || size > head.size)
      throw new RangeError(`the log has ${head?.size ?? 0} leaves, not ${size}`)
    return head
  }
  return {
    origin: signer.key.name,
    key,
    folder,
    step: async () => {
      const before = ledger.headNow()?.size ?? 0
      const report = await sequencer.step()
      if (report.signed) await files.tidy(before, report.head?.size ?? before)
      return report
    },
    head: () => ledger.headNow(),
    leafOf: (hash) => ledger.leafOf(decodeBase64url(hash)),
    checkpoints: () => ledger.checkpoints(),
    // Nodes of a smaller tree are nodes of the head's too, and its tiles are the ones that are kept.
    proveInclusion: async (leaf, size) =>
      proveInclusion(sha256Bytes, nodesOf(log, headFor(size).size), { index: leaf, size }),
    proveConsistency: async (from, to) => {
      const readNode = nodesOf(log, headFor(to).size)
      const rootAt = (size: number): Promise<Hash> => rootOf(sha256Bytes, readNode, size)
      return consistencyIn(log, { size: from, root: await rootAt(from) }, { size: to, root: await rootAt(to) })
    },
    close: async () => lease.close(),
  }
}

/** INVARIANT I6: whoever lost the lease without knowing writes nothing more. */
export function guarded(files: LogFiles, lease: LogLease): LogFiles {
  return {
    ...files,
    write: async (path, bytes) => {
      if (!lease.holds()) throw new HoldpointError('ERR_LOG', 'the log cannot go on: its folder was moved or replaced')
      await files.write(path, bytes)
    },
  }
}

/** @throws HoldpointError ERR_LOG where an index is of another log */
export function refuseAnothers(found: LogIdentity, mine: LogIdentity): void {
  if (found.store !== mine.store) throw another('it holds the receipts of another store')
  if (found.origin !== mine.origin) throw another(`it is named "${found.origin}", not "${mine.origin}"`)
  if (found.key !== mine.key) throw another(`it is signed with ${found.key}, and the key here is ${mine.key}`)
}

function another(why: string): HoldpointError {
  return new HoldpointError(
    'ERR_LOG',
    `the log cannot go on: ${why}. Put back what was there; or keep what is there as evidence, and begin a log under another origin`,
  )
}
