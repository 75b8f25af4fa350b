import { counted } from '../bytes/counted.ts'
import { HoldpointError } from '../errors.ts'
import { type Checkpoint, readCheckpoint } from '../log/checkpoint.ts'
import { readNote } from '../log/note.ts'
import type { BundleCounts, BundleHead, BundlePart } from './bundle-text.ts'
import { sha256Bytes } from './ports.ts'

/** Checkpoints of one bundle: what has to be kept of each until the last one is read is bounded by this. */
const MOST_CHECKPOINTS = 1_024

/** A part that stands where it may stand. */
export type PlacedPart =
  | Exclude<BundlePart, { readonly kind: 'checkpoint' }>
  | (Extract<BundlePart, { readonly kind: 'checkpoint' }> & {
      /** What the note says, whoever signed it. */
      readonly says: Checkpoint
      /** Of the bundle's own size: the one that all receipts are held against. */
      readonly isLast: boolean
    })

/**
 * Which part of a bundle may follow which. Writers and readers go through the same rules, so what one writes the other takes.
 *
 * - The head is first, the end is last and counts right.
 * - Of a whole log come all leaves from 0 without a hole and without proofs. An earlier checkpoint stands right behind its own
 *   last leaf, where its root can be worked out, or brings its proof.
 * - Of some leaves, each is larger than the one before, and each receipt and earlier checkpoint has its proof.
 * - The last checkpoint, of the head's size, comes after everything but the end. All checkpoints are of the head's origin.
 * - Where the size is 0 there are no leaves, no proofs and no checkpoints.
 */
export class BundleOrder {
  #head: BundleHead | undefined
  #state: 'open' | 'closed' | 'ended' = 'open'
  #leaf = -1
  #receipts = 0
  #openings = 0
  #checkpoints = 0

  /** What came so far. */
  get counts(): BundleCounts {
    return { receipts: this.#receipts, openings: this.#openings, checkpoints: this.#checkpoints }
  }

  /** Has the last line come? */
  get isWhole(): boolean {
    return this.#state === 'ended'
  }

  /** @throws HoldpointError ERR_FORMAT saying why this part may not come next */
  take(part: BundlePart): PlacedPart {
    if (this.#state === 'ended') throw wrong('stands behind the end of the bundle')
    if (part.kind === 'head') return this.#begin(part)
    if (this.#head === undefined) throw wrong('comes before the line that says what bundle this is')
    if (part.kind === 'end') return this.#finish(part, this.#head)
    if (this.#state === 'closed') throw wrong('stands behind the last checkpoint, where only the end may')
    switch (part.kind) {
      case 'receipt':
        return this.#receipt(part, this.#head)
      case 'opening':
        this.#openings += 1
        return part
      case 'checkpoint':
        return this.#checkpoint(part, this.#head)
    }
  }

  #begin(part: Extract<BundlePart, { kind: 'head' }>): PlacedPart {
    if (this.#head !== undefined) throw wrong('is a second head: these are two bundles in one file')
    this.#head = { origin: part.origin, scope: part.scope, size: part.size }
    return part
  }

  #receipt(part: Extract<BundlePart, { kind: 'receipt' }>, { scope, size }: BundleHead): PlacedPart {
    const { leaf, proof } = part
    if (size === 0) {
      if (leaf !== undefined || proof !== undefined)
        throw wrong('has a leaf or a proof, and the head says that nothing was logged')
    } else {
      if (leaf === undefined) throw wrong('is a receipt without its leaf')
      if (leaf >= size) throw wrong(`is of leaf ${leaf}, and the log has ${counted(size, 'leaf', 'leaves')}`)
      if (scope === 'log' && leaf !== this.#leaf + 1) throw wrong(outOfPlace(leaf, this.#leaf))
      if (scope === 'part' && leaf <= this.#leaf) throw wrong(`is of leaf ${leaf}, behind that of leaf ${this.#leaf}`)
      if ((proof === undefined) !== (scope === 'log')) {
        throw wrong(
          scope === 'log'
            ? 'has a proof, which the receipts of a whole log do without'
            : 'is a receipt without its proof',
        )
      }
      this.#leaf = leaf
    }
    this.#receipts += 1
    return part
  }

  #checkpoint(part: Extract<BundlePart, { kind: 'checkpoint' }>, head: BundleHead): PlacedPart {
    if (head.size === 0) throw wrong('is a checkpoint, and the head says that nothing was logged')
    const says = readCheckpoint(sha256Bytes, readNote(part.note).text)
    if (says.origin !== head.origin) {
      throw wrong(
        `is a checkpoint of the log ${shown(says.origin)}, and this bundle is of ${shown(head.origin)}: two logs are mixed`,
      )
    }
    if (says.size > head.size)
      throw wrong(`is a checkpoint of ${counted(says.size, 'leaf', 'leaves')}, and the head says ${head.size}`)
    if (says.size === 0) throw wrong('is a checkpoint of no leaves, which every log continues')
    this.#checkpoints += 1
    if (this.#checkpoints > MOST_CHECKPOINTS) throw wrong(`is one checkpoint more than ${MOST_CHECKPOINTS}`)
    const isLast = says.size === head.size
    if (isLast) this.#close(part, head)
    else if (part.proof === undefined && (head.scope === 'part' || this.#receipts !== says.size)) {
      throw wrong('is an earlier checkpoint without its proof, and not right behind its own last leaf')
    }
    return { ...part, says, isLast }
  }

  #close({ proof }: Extract<BundlePart, { kind: 'checkpoint' }>, { scope, size }: BundleHead): void {
    if (proof !== undefined) throw wrong('is the last checkpoint, and has a proof')
    if (scope === 'log' && this.#receipts !== size) {
      throw wrong(
        `is a checkpoint of ${counted(size, 'leaf', 'leaves')}, and ${counted(this.#receipts, 'receipt')} came: the last ${counted(size - this.#receipts, 'is', 'are')} missing, the tail was cut`,
      )
    }
    this.#state = 'closed'
  }

  #finish(part: Extract<BundlePart, { kind: 'end' }>, { size }: BundleHead): PlacedPart {
    if (size > 0 && this.#state !== 'closed') throw wrong('is the end, and the last checkpoint did not come')
    const { receipts, openings, checkpoints } = part
    if (receipts !== this.#receipts || openings !== this.#openings || checkpoints !== this.#checkpoints) {
      throw wrong(
        `says ${counted(receipts, 'receipt')}, ${counted(openings, 'opening')} and ${counted(checkpoints, 'checkpoint')}, and there are ` +
          `${this.#receipts}, ${this.#openings} and ${this.#checkpoints}: lines were taken out or put in`,
      )
    }
    this.#state = 'ended'
    return part
  }
}

function outOfPlace(leaf: number, before: number): string {
  if (leaf <= before) return `is of leaf ${leaf}, which came before: repeated or out of order`
  const missing = leaf - before - 1
  return `is of leaf ${leaf}, and ${missing === 1 ? `leaf ${leaf - 1} is` : `leaves ${before + 1} to ${leaf - 1} are`} missing before it: dropped, or out of order`
}

function shown(origin: string): string {
  return JSON.stringify(origin.slice(0, 128))
}

function wrong(because: string): HoldpointError {
  return new HoldpointError('ERR_FORMAT', `the line ${because}`, { because })
}
