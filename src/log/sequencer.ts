/** Making a log of the receipts of a store, one step at a time. Whoever steps holds the log's lease. */
import { HoldpointError } from '../errors.ts'
import { appendEntries } from './append.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { sameBytes, utf8 } from './encoding.ts'
import type { LogSigner } from './log-signer.ts'
import { emptyRoot, leafHash } from './merkle.ts'
import { readNote, writeNote } from './note.ts'
import type { Hash, Sha256, TileStorage } from './ports.ts'
import { rootOf } from './prove.ts'
import { bundlePath, TILE_WIDTH } from './tile-layout.ts'
import { consistencyIn, nodesOf, type TileLog, type TreeHead } from './tiles.ts'
import type { Witnesses, WitnessReport } from './witnesses.ts'

/** Where a receipt stands in its store. */
export interface Place {
  readonly slot: number
  /** From 1; later receipts of a slot have larger ones. */
  readonly row: number
}

/** A receipt with its place in the store. */
export interface Arrival extends Place {
  /** SHA-256(0x00 ‖ payload): the leaf. */
  readonly hash: Hash
}

/** The last receipt of a slot that the log has. */
export type Reached = ReadonlyMap<number, Pick<Arrival, 'row' | 'hash'>>

/** The receipts of a store. */
export interface ReceiptSource {
  /**
   * Receipts behind the last known one of each slot, by the time that they say, those of one slot in their order; some
   * hundreds at a time, none when there are no more. A slot that no longer has its last known receipt where it was is read
   * from its beginning, and named in `changed`: it was exchanged, restored from a copy, or is gone.
   */
  newer(reached: Reached): Promise<{ readonly arrivals: readonly Arrival[]; readonly changed: readonly number[] }>
  /**
   * The payloads of receipts, byte for byte.
   *
   * @throws HoldpointError when one is not there
   */
  entries(places: readonly Place[]): Promise<readonly Uint8Array[]>
}

/** A head that this log has signed. */
export interface SignedHead extends TreeHead {
  /** The signed note, with the cosignatures that were collected. */
  readonly note: string
  /** When it was signed, ms since epoch; never before that of a smaller tree. */
  readonly at: number
}

/** What the log remembers beside its files. Each function that writes is one transaction, and resolves when it is durable. */
export interface LogLedger {
  /** The largest tree that was signed. */
  head(): Promise<SignedHead | undefined>
  /** The signed head of this size. */
  checkpoint(size: number): Promise<SignedHead | undefined>
  reached(): Promise<Reached>
  /** Gives receipts the next leaves, in their order, and leaves out those that have one. How many are new? */
  enter(arrivals: readonly Arrival[]): Promise<number>
  /** Receipts by leaf, from one on, at most so many. */
  leaves(from: number, most: number): Promise<readonly Arrival[]>
  /** Records a signed head; false, and nothing is written, unless the head is still the one that was known. */
  record(next: SignedHead, known: TreeHead | undefined): Promise<boolean>
  /** Keeps the cosignatures of a head that stands. */
  cosign(head: SignedHead): Promise<void>
}

/** What a log is made with. */
export interface SequencerParts {
  readonly source: ReceiptSource
  readonly ledger: LogLedger
  readonly storage: TileStorage
  readonly sha256: Sha256
  readonly signer: LogSigner
  /** Wall clock, ms since epoch. */
  readonly now: () => number
  readonly witnesses?: Witnesses
}

/** What a step did. */
export interface StepReport {
  /** Receipts that were given a leaf. */
  readonly entered: number
  readonly head: SignedHead | undefined
  /** Was a checkpoint signed? */
  readonly signed: boolean
  /** What each witness that was asked said. */
  readonly witnesses: readonly WitnessReport[]
  /** Have enough of them seen the head? `none` where nobody is to be asked. */
  readonly quorum: 'met' | 'missed' | 'none'
  /** Slots that are not what they were: see `ReceiptSource`. */
  readonly changed: readonly number[]
}

/** Where the newest signed note stands. */
export const CHECKPOINT_PATH = 'checkpoint'
/** Receipts that are held in memory at once. */
const CHUNK = 16 * TILE_WIDTH
const CHUNKS_SIGNED_AT_ONCE = 16

/**
 * Takes a log forward. A step that fails, or is cut off anywhere, is made good by the next one: leaves that were given stay
 * given, and tiles above the head are written over with the same bytes.
 */
export class Sequencer {
  readonly #parts: SequencerParts
  readonly #log: TileLog & Pick<SequencerParts, 'storage'>
  /** Do the files, the ledger and the witnesses speak of one log, as far as anybody could be asked? */
  #isAgreed = false

  constructor(parts: SequencerParts) {
    this.#parts = parts
    this.#log = { storage: parts.storage, sha256: parts.sha256 }
  }

  /**
   * Gives a leaf to every receipt that the store has now, and signs the tree over them.
   *
   * @throws HoldpointError ERR_LOG when the log cannot go on: nothing was signed that contradicts what was signed before
   */
  async step(): Promise<StepReport> {
    const { ledger } = this.#parts
    const known = await ledger.head()
    if (!this.#isAgreed) await this.#agree(known)
    const { entered, changed } = await this.#enter()
    const head = await this.#signAll(known)
    const signed = head !== known
    if (head === undefined) return { entered, head, signed, witnesses: [], quorum: 'none', changed }
    return { entered, signed, changed, ...(await this.#publish(head)) }
  }

  /**
   * INVARIANT I6: a log that was restored from a copy would sign other leaves for places that it has spoken for. So nothing
   * new is signed before the checkpoint beside the ledger, and a quorum of witnesses, know of nothing later.
   */
  async #agree(known: SignedHead | undefined): Promise<void> {
    const { witnesses } = this.#parts
    await this.#agreeWithFile(known)
    if (witnesses !== undefined) {
      // A log that begins may be one whose folder was lost: its empty tree is shown, which contradicts nothing.
      const shown = known ?? this.#signed(this.#nothing(), 0)
      const round = await witnesses.ask(shown, (from) => this.#prove(from, shown), 'again')
      if (round.contradiction !== undefined) throw stuck(round.contradiction)
      if (round.quorum === 'missed') {
        throw stuck(`too few witnesses answer to tell whether the log has gone on elsewhere: ${round.missing}`)
      }
    }
    this.#isAgreed = true
  }

  async #agreeWithFile(known: SignedHead | undefined): Promise<void> {
    const { ledger, sha256, signer } = this.#parts
    const file = await this.#parts.storage.read(CHECKPOINT_PATH)
    const found = file === undefined ? undefined : readable(() => readCheckpoint(sha256, readNote(file).text))
    const isEmpty = known === undefined && (await ledger.leaves(0, 1)).length === 0
    if (found === undefined) {
      // Leaves are in the index before they are in a tile, so these were signed, or could have been.
      if (isEmpty && (await this.#hasTiles()))
        throw stuck('there are tiles of it, and neither its index nor its checkpoint: both were lost. Put them back')
      return
    }
    if (found.origin !== signer.key.name) {
      throw stuck(`the checkpoint beside it is of another log, "${found.origin}"`)
    }
    if (found.size > (known?.size ?? 0)) {
      const what = isEmpty ? 'log.db was lost' : 'the index is an old copy'
      throw stuck(
        `its checkpoint is of ${found.size} leaves and its index knows of ${known?.size ?? 0}: ${what}. Put the newest one back, or make it anew with "holdpoint log rebuild"`,
      )
    }
    const signed = await ledger.checkpoint(found.size)
    if (signed === undefined || !sameBytes(signed.root, found.root)) {
      throw stuck(
        `its index has not signed the checkpoint of ${found.size} leaves that stands beside it: two histories were signed, or one of the two is a copy`,
      )
    }
  }

  async #hasTiles(): Promise<boolean> {
    const { storage } = this.#parts
    for (const width of [1, TILE_WIDTH]) {
      if ((await storage.read(bundlePath({ index: 0, width }))) !== undefined) return true
    }
    return false
  }

  async #enter(): Promise<Pick<StepReport, 'entered' | 'changed'>> {
    const { source, ledger } = this.#parts
    const changed = new Set<number>()
    let entered = 0
    for (;;) {
      const batch = await source.newer(await ledger.reached())
      for (const slot of batch.changed) changed.add(slot)
      if (batch.arrivals.length === 0) return { entered, changed: [...changed] }
      entered += await ledger.enter(batch.arrivals)
    }
  }

  /** Signs the tree over every leaf that was given; a long way in several, so that a crash takes back a part of it alone. */
  async #signAll(known: SignedHead | undefined): Promise<SignedHead | undefined> {
    let head = known
    for (;;) {
      const grown = await this.#grow(head ?? this.#nothing())
      if (grown.size === (head?.size ?? 0)) return head
      head = await this.#sign(head, grown)
    }
  }

  /** Writes the files of the next leaves. Read again from the store: after a crash just as without one. */
  async #grow(head: TreeHead): Promise<TreeHead> {
    const { ledger, source } = this.#parts
    let grown = head
    for (let chunk = 0; ; chunk += 1) {
      // To the end of a tile, so that only the last chunk leaves one that is not full.
      const leaves = await ledger.leaves(grown.size, CHUNK - (grown.size % TILE_WIDTH))
      if (leaves.length === 0 || chunk === CHUNKS_SIGNED_AT_ONCE) return grown
      const entries = await source.entries(leaves)
      const wrong = leaves.findIndex(({ hash }, index) => !this.#isLeaf(entries[index], hash))
      const { slot, row } = leaves[wrong] ?? {}
      if (wrong !== -1) throw stuck(`receipt ${row} of slot ${slot} is not the one that has leaf ${grown.size + wrong}`)
      grown = await appendEntries(this.#log, grown, entries)
    }
  }

  async #sign(known: SignedHead | undefined, head: TreeHead): Promise<SignedHead> {
    const { ledger, now } = this.#parts
    // A clock that was set back does not make the log younger.
    const next = this.#signed(head, Math.max(now(), known?.at ?? 0))
    // INVARIANT I6: one tree for each size, whoever else believes to hold the lease.
    if (!(await ledger.record(next, known))) throw stuck('somebody else has signed a checkpoint meanwhile')
    return next
  }

  #signed(head: TreeHead, at: number): SignedHead {
    return signedHead(this.#parts.sha256, this.#parts.signer, head, at)
  }

  async #publish(head: SignedHead): Promise<Pick<StepReport, 'head' | 'witnesses' | 'quorum'>> {
    const { witnesses, ledger, storage } = this.#parts
    const round = await witnesses?.ask(head, (from) => this.#prove(from, head))
    const cosigned = round === undefined ? head : { ...head, note: round.note }
    if (cosigned.note !== head.note) await ledger.cosign(cosigned)
    const file = await storage.read(CHECKPOINT_PATH)
    const bytes = utf8(cosigned.note)
    if (file === undefined || !sameBytes(file, bytes)) await storage.write(CHECKPOINT_PATH, bytes)
    if (round?.contradiction !== undefined) {
      this.#isAgreed = false
      throw stuck(round.contradiction)
    }
    return { head: cosigned, witnesses: round?.reports ?? [], quorum: round?.quorum ?? 'none' }
  }

  /** From a smaller tree, whichever it was, to the head; checked. */
  async #prove(from: number, head: TreeHead): Promise<readonly Hash[]> {
    const { sha256 } = this.#parts
    if (from === 0 || from === head.size) return []
    const root = await rootOf(sha256, nodesOf(this.#log, head.size), from)
    return consistencyIn(this.#log, { size: from, root }, head)
  }

  #isLeaf(entry: Uint8Array | undefined, hash: Hash): boolean {
    return entry !== undefined && sameBytes(leafHash(this.#parts.sha256, entry), hash)
  }

  #nothing(): TreeHead {
    return { size: 0, root: emptyRoot(this.#parts.sha256) }
  }
}

/** A head with the log's signature. Whoever calls this has the lease, and records what comes of it before anybody sees it. */
export function signedHead(sha256: Sha256, signer: LogSigner, { size, root }: TreeHead, at: number): SignedHead {
  const text = writeCheckpoint(sha256, { origin: signer.key.name, size, root, extensions: [] })
  return { size, root, note: writeNote({ text, signatures: [signer.sign(text)] }), at }
}

/** UNTRUSTED: a file that is none of ours says nothing; the ledger knows what was signed, and it is written again. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

function stuck(why: string): HoldpointError {
  return new HoldpointError('ERR_LOG', `the log cannot go on: ${why}`)
}
