import * as fs from 'node:fs/promises'
import type { DatabaseSync } from 'node:sqlite'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { readCheckpoint } from '../../src/log/checkpoint.ts'
import type { LogSigner } from '../../src/log/log-signer.ts'
import { leafHash } from '../../src/log/merkle.ts'
import { type LogLedger, type ReceiptSource, Sequencer } from '../../src/log/sequencer.ts'
import { type Disk, type LogFiles, logFiles } from '../../src/store/log-files.ts'
import { logFolder, tryLease } from '../../src/store/log-lease.ts'
import { SqliteLogLedger } from '../../src/store/log-ledger.ts'
import { ascii, noteSigner } from './log-keys.ts'

/** The real parts of a log over receipts that are made up: two slots, of which the receipts are written in turn. */
export interface LogParts {
  readonly sequencer: Sequencer
  readonly ledger: SqliteLogLedger
  readonly files: LogFiles
  /** The index, of which this has the lease. */
  readonly db: DatabaseSync
  /** As a process that dies: nothing is finished. */
  drop(): void
}

/** What can go wrong with one write. `persist`: it is done, and nobody is told. `half`: the disk is full in the middle. */
export type Trouble = 'fail' | 'fail_but_persist' | 'half' | 'hang'

/** Receipts so far; more can be added. */
export class MadeUpReceipts {
  count: number
  /** What each of them says. */
  word = 'receipt'

  constructor(count: number) {
    this.count = count
  }

  source(): ReceiptSource {
    const inSlot = (slot: number): number => Math.floor((this.count + 1 - slot) / 2)
    const entryAt = (slot: number, row: number): Uint8Array => ascii(`${this.word} ${row} of slot ${slot}`)
    return {
      newer: async (reached) => ({
        changed: [],
        arrivals: [0, 1].flatMap((slot) => {
          const from = reached.get(slot)?.row ?? 0
          return Array.from({ length: Math.min(200, inSlot(slot) - from) }, (_, index) => {
            const row = from + 1 + index
            return { slot, row, hash: leafHash(sha256Bytes, entryAt(slot, row)) }
          })
        }),
      }),
      entries: async (places) => places.map(({ slot, row }) => entryAt(slot, row)),
    }
  }
}

/** A signer that remembers which root it has signed for each size, and says when it signs a second one. */
export class WatchedSigner implements LogSigner {
  readonly #signer = noteSigner('example.com/log', 'ed25519')
  readonly roots = new Map<number, string>()
  forks = 0

  get key() {
    return this.#signer.key
  }

  sign(text: string) {
    const { size, root } = readCheckpoint(sha256Bytes, text)
    const known = this.roots.get(size)
    const hex = Buffer.from(root).toString('hex')
    if (known !== undefined && known !== hex) this.forks += 1
    this.roots.set(size, hex)
    return this.#signer.sign(text)
  }
}

/** Puts a log together, with whatever stands between it and the disk. */
export function logParts(
  folder: string,
  receipts: MadeUpReceipts,
  signer: LogSigner,
  between: {
    readonly disk?: Disk
    readonly ledger?: (ledger: LogLedger) => LogLedger
    readonly now?: () => number
  } = {},
): LogParts {
  const lease = tryLease(folder)
  if (lease === undefined) throw new Error('the lease is taken')
  const ledger = new SqliteLogLedger(lease.db)
  const files = logFiles(logFolder(folder), between.disk)
  const sequencer = new Sequencer({
    source: receipts.source(),
    ledger: between.ledger?.(ledger) ?? ledger,
    storage: files,
    sha256: sha256Bytes,
    signer,
    now: between.now ?? (() => 1_790_000_000_000),
  })
  return { sequencer, ledger, files, db: lease.db, drop: () => lease.close() }
}

/**
 * A disk of which each change asks first what is to go wrong with it.
 *
 * @param opened gets the files that were opened: one that hangs leaves its file open
 */
export function troubledDisk(trouble: () => Trouble | undefined, opened: fs.FileHandle[] = []): Disk {
  async function through<T>(work: () => Promise<T>, half: () => Promise<unknown> = work): Promise<T> {
    const what = trouble()
    if (what === undefined) return await work()
    if (what === 'hang') return await new Promise<never>(() => undefined)
    if (what === 'fail_but_persist') await work()
    if (what === 'half') await half()
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  }
  const open = async (...asked: Parameters<typeof fs.open>): Promise<fs.FileHandle> => {
    const handle = await through(async () => {
      const made = await fs.open(...asked)
      opened.push(made)
      return made
    })
    return new Proxy(handle, {
      get: (target, name) => {
        if (name === 'sync') return () => through(() => target.sync())
        if (name === 'writeFile')
          return (bytes: Uint8Array) =>
            through(
              () => target.writeFile(bytes),
              () => target.writeFile(bytes.subarray(0, bytes.length / 2)),
            )
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
  return {
    ...fs,
    open,
    mkdir: ((...asked: Parameters<typeof fs.mkdir>) => through(() => fs.mkdir(...asked))) as Disk['mkdir'],
    rename: (...asked) => through(() => fs.rename(...asked)),
    rm: (...asked) => through(() => fs.rm(...asked)),
  }
}

/** The index's writes, of which each asks first what is to go wrong with it. */
export function troubledLedger(ledger: LogLedger, trouble: () => Trouble | undefined): LogLedger {
  async function through<T>(work: () => Promise<T>): Promise<T> {
    const what = trouble()
    if (what === undefined) return await work()
    if (what === 'hang') return await new Promise<never>(() => undefined)
    if (what === 'fail_but_persist') await work()
    throw new Error('disk I/O error')
  }
  return {
    head: () => ledger.head(),
    checkpoint: (size) => ledger.checkpoint(size),
    reached: () => ledger.reached(),
    leaves: (from, most) => ledger.leaves(from, most),
    enter: (arrivals) => through(() => ledger.enter(arrivals)),
    record: (next, known) => through(() => ledger.record(next, known)),
    cosign: (head) => through(() => ledger.cosign(head)),
  }
}
