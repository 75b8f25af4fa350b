import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { sha256Bytes } from '../bytes/digest.ts'
import { HoldpointError } from '../errors.ts'
import { appendEntries } from '../log/append.ts'
import type { Checkpoint } from '../log/checkpoint.ts'
import { sameBytes } from '../log/encoding.ts'
import { findFault } from '../log/fsck.ts'
import { type LogSigner, logSigner } from '../log/log-signer.ts'
import { rootOf } from '../log/prove.ts'
import { type Arrival, CHECKPOINT_PATH, type ReceiptSource, type SignedHead, signedHead } from '../log/sequencer.ts'
import { bundlePath, TILE_WIDTH } from '../log/tile-layout.ts'
import { nodesOf, readEntries, readTile, type TileLog, type TreeHead } from '../log/tiles.ts'
import { writeVerifierKey } from '../log/verifier-key.ts'
import { guarded, type LogTerms, leaseWithin, refuseAnothers } from './log-book.ts'
import { type LogFiles, logFiles } from './log-files.ts'
import { published } from './log-fsck.ts'
import { logFolder } from './log-lease.ts'
import { SqliteLogLedger } from './log-ledger.ts'
import { receiptSource, storeId } from './log-source.ts'

/** What became of an index. */
export type Rebuilt =
  /** It knows its checkpoint: there was nothing to do. */
  | { readonly kind: 'whole'; readonly size: number }
  | {
      readonly kind: 'rebuilt'
      /** Leaves of the checkpoint that it was made out of. */
      readonly size: number
      /** Leaves that had been written behind it, whose places stay theirs; they are signed now. */
      readonly beyond: number
    }

/** What an index is made anew with. Its holder has the log's lease. */
export interface RebuildParts {
  readonly db: DatabaseSync
  readonly ledger: SqliteLogLedger
  readonly files: LogFiles
  readonly source: ReceiptSource
  readonly signer: LogSigner
  /** Wall clock, ms since epoch. */
  readonly now: () => number
  /** Told on the way how far it has come; a large log takes minutes. */
  readonly report?: (line: string) => void
}

/**
 * Makes the index of a store's log anew, where `log.db` was lost or is an older copy.
 *
 * @throws HoldpointError ERR_STORE while another process has the lease; ERR_LOG where it cannot be made, saying why
 */
export async function rebuildLog(
  storeFolder: string,
  terms: LogTerms,
  report: (line: string) => void = () => undefined,
): Promise<Rebuilt> {
  const lease = terms.lease ?? (await leaseWithin(storeFolder, terms.waitMs ?? 0))
  try {
    const store = storeId(storeFolder)
    const signer = logSigner(sha256Bytes, terms.signer, terms.origin ?? `holdpoint/${store}`)
    const ledger = new SqliteLogLedger(lease.db)
    const mine = { store, origin: signer.key.name, key: writeVerifierKey(signer.key) }
    refuseAnothers(ledger.identity(mine), mine)
    return await rebuildIndex({
      db: lease.db,
      ledger,
      files: guarded(logFiles(logFolder(storeFolder)), lease),
      source: receiptSource(storeFolder),
      signer,
      now: terms.now ?? Date.now,
      report,
    })
  } finally {
    lease.close()
  }
}

/**
 * The index out of the entries. It is replaced in one transaction, and only when every file is as it should be, leads to the root
 * of the checkpoint that this log's key has signed, contradicts nothing that the index still knew, and every leaf is a receipt
 * of the store.
 *
 * INVARIANT I6: leaves that stand in the entries behind the checkpoint keep their places, and are signed: a head over them may
 * have been signed, and shown to a witness, before `log.db` was lost. A leaf that is in no entry was never signed.
 *
 * @throws HoldpointError ERR_LOG: nothing was changed
 */
export async function rebuildIndex(parts: RebuildParts): Promise<Rebuilt> {
  const { db, ledger, files, source, signer, now, report = () => undefined } = parts
  const log: TileLog = { storage: files, sha256: sha256Bytes }
  const { note, ...head } = await signedBeside(files, signer)
  const known = ledger.headNow()
  if (known !== undefined && known.size >= head.size) return { kind: 'whole', size: known.size }
  report(`${head.size} leaves are looked through for a fault`)
  const fault = await findFault(log, head)
  if (fault !== undefined)
    throw cannot(`${fault.path}${fault.byte === undefined ? '' : `, byte ${fault.byte}`}: ${fault.why}`)
  const grown = await writtenBehind(files, head)
  await contradictNothing(ledger, log, grown)
  const draft = new IndexDraft(db)
  try {
    await draft.takeLeaves(files, grown.size, report)
    await draft.takeReceipts(source, report)
    const at = Math.max(now(), known?.at ?? 0)
    const later = grown.size === head.size ? [] : [signedHead(sha256Bytes, signer, grown, at)]
    draft.commit([...ledger.checkpoints(), { size: head.size, root: head.root, note, at }, ...later])
  } finally {
    draft.drop()
  }
  return { kind: 'rebuilt', size: head.size, beyond: grown.size - head.size }
}

async function signedBeside(files: LogFiles, signer: LogSigner): Promise<Checkpoint & { readonly note: string }> {
  const bytes = await files.read(CHECKPOINT_PATH)
  if (bytes === undefined)
    throw cannot('there is no signed checkpoint beside it, and nothing says how far the log had come')
  const found = await published(bytes, signer.key)
  if ('why' in found) throw cannot(`${found.path} ${found.why}`)
  return { ...found, note: new TextDecoder().decode(bytes) }
}

/** Takes up entries that stand behind a head, as far as they go without a hole, and gives the head of the tree with them. */
async function writtenBehind(files: LogFiles, head: TreeHead): Promise<TreeHead> {
  let grown = head
  for (let index = Math.floor(head.size / TILE_WIDTH); ; index += 1) {
    const width = await widthOf(files, index)
    const entries = width === 0 ? [] : await readEntries(files, { index, width })
    const more = entries.slice(Math.max(0, grown.size - index * TILE_WIDTH))
    if (more.length > 0) grown = await appendEntries({ storage: files, sha256: sha256Bytes }, grown, more)
    if (width < TILE_WIDTH) return grown
  }
}

async function widthOf(files: LogFiles, index: number): Promise<number> {
  const whole = bundlePath({ index, width: TILE_WIDTH })
  return (await files.read(whole)) === undefined ? Math.max(0, ...(await files.widths(whole))) : TILE_WIDTH
}

/** An older copy of the index has to be the beginning of what the files say. */
async function contradictNothing(ledger: SqliteLogLedger, log: TileLog, { size }: TreeHead): Promise<void> {
  const readNode = nodesOf(log, size)
  for (const signed of ledger.checkpoints()) {
    if (!sameBytes(await rootOf(sha256Bytes, readNode, signed.size), signed.root))
      throw cannot(`it had signed another root of ${signed.size} leaves than the files have: two histories were signed`)
  }
  for (let first = 0; first < size; first += TILE_WIDTH) {
    const leaves = await ledger.leaves(first, TILE_WIDTH)
    if (leaves.length === 0) return
    const hashes = await readTile(log.storage, leafTile(first, size))
    const wrong = leaves.findIndex(({ hash }, at) => {
      const there = hashes[at]
      return there !== undefined && !sameBytes(hash, there)
    })
    if (wrong !== -1) throw cannot(`it had given leaf ${first + wrong} to another receipt than the files have there`)
  }
}

function leafTile(first: number, size: number): { readonly level: 0; readonly index: number; readonly width: number } {
  return { level: 0, index: first / TILE_WIDTH, width: Math.min(TILE_WIDTH, size - first) }
}

const DRAFT = `
CREATE TEMP TABLE tiled (leaf INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE) STRICT;
CREATE TEMP TABLE found (hash BLOB PRIMARY KEY, slot INTEGER NOT NULL, row INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

/** What an index is made of, beside it in temporary tables: a log may be larger than memory. */
class IndexDraft {
  readonly #db: DatabaseSync

  constructor(db: DatabaseSync) {
    this.#db = db
    db.exec(DRAFT)
  }

  async takeLeaves(files: LogFiles, size: number, report: (line: string) => void): Promise<void> {
    const insert = this.#db.prepare('INSERT INTO temp.tiled VALUES (?, ?) ON CONFLICT (hash) DO NOTHING')
    for (let first = 0; first < size; first += TILE_WIDTH) {
      const hashes = await readTile(files, leafTile(first, size))
      this.#transact(() => {
        for (const [at, hash] of hashes.entries()) {
          if (insert.run(first + at, hash).changes === 0) throw cannot(`leaf ${first + at} stands in the files twice`)
        }
      })
      report(`${first + hashes.length} of ${size} leaves read`)
    }
  }

  async takeReceipts(source: ReceiptSource, report: (line: string) => void): Promise<void> {
    const insert = this.#db.prepare('INSERT INTO temp.found VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING')
    const reached = new Map<number, Arrival>()
    let count = 0
    for (;;) {
      const { arrivals } = await source.newer(reached)
      if (arrivals.length === 0) return
      this.#transact(() => {
        for (const { hash, slot, row } of arrivals) insert.run(hash, slot, row)
      })
      for (const arrival of arrivals) reached.set(arrival.slot, arrival)
      count += arrivals.length
      report(`${count} receipts found`)
    }
  }

  /** Puts it in the place of the index that was. */
  commit(heads: readonly SignedHead[]): void {
    const lost = this.#db
      .prepare('SELECT min(leaf) AS leaf FROM temp.tiled WHERE hash NOT IN (SELECT hash FROM temp.found)')
      .get()?.['leaf']
    if (lost !== null) throw cannot(`leaf ${lost} is of a receipt that is not in the store: put the store back first`)
    const record = this.#db.prepare('INSERT INTO checkpoints (size, root, note, at) VALUES (?, ?, ?, ?)')
    this.#transact(() => {
      this.#db.exec('DELETE FROM leaves; DELETE FROM reached; DELETE FROM checkpoints')
      this.#db.exec(
        'INSERT INTO leaves (leaf, hash, slot, row) SELECT leaf, hash, slot, row FROM temp.tiled JOIN temp.found USING (hash)',
      )
      this.#reach()
      for (const { size, root, note, at } of heads) record.run(size, root, note, at)
    })
  }

  drop(): void {
    this.#db.exec('DROP TABLE temp.tiled; DROP TABLE temp.found')
  }

  /** Each slot is read on from the last receipt before which all have a leaf. */
  #reach(): void {
    const reach: StatementSync = this.#db.prepare(
      `INSERT INTO reached (slot, row, hash)
       SELECT slot, row, hash FROM temp.found WHERE slot = ?1 AND row < (
         SELECT coalesce(min(row), ${Number.MAX_SAFE_INTEGER}) FROM temp.found
         WHERE slot = ?1 AND hash NOT IN (SELECT hash FROM temp.tiled)
       ) ORDER BY row DESC LIMIT 1`,
    )
    for (const { slot } of this.#db.prepare('SELECT DISTINCT slot FROM temp.found').all()) reach.run(Number(slot))
  }

  #transact(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#db.exec('COMMIT')
    } catch (cause) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw cause
    }
  }
}

function cannot(why: string): HoldpointError {
  return new HoldpointError('ERR_LOG', `the index of the log cannot be made anew: ${why}`)
}
