import { HoldpointError } from '../errors.ts'
import { HASH_BYTES } from './encoding.ts'
import { emptyRoot, nodeHash } from './merkle.ts'
import type { Hash, Sha256 } from './ports.ts'
import { half, isOdd, MOST_LEAVES } from './size.ts'

/** A tree of which only the right edge is held: its root after every leaf, in memory that grows with the logarithm. */
export class GrowingTree {
  readonly #sha256: Sha256
  /** The complete subtrees of the tree so far, the largest first: one for each bit of the size. */
  readonly #edge: Hash[] = []
  #size = 0

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  get size(): number {
    return this.#size
  }

  /** @throws HoldpointError ERR_FORMAT when this is no leaf hash, or the tree is full */
  append(leaf: Hash): void {
    if (leaf.length !== HASH_BYTES) throw new HoldpointError('ERR_FORMAT', 'a leaf hash has 32 bytes')
    if (this.#size === MOST_LEAVES) throw new HoldpointError('ERR_FORMAT', `a tree holds ${MOST_LEAVES} leaves`)
    let node = leaf
    for (let carry = this.#size; isOdd(carry); carry = half(carry)) {
      const left = this.#edge.pop()
      if (left !== undefined) node = nodeHash(this.#sha256, left, node)
    }
    this.#edge.push(node)
    this.#size += 1
  }

  root(): Hash {
    if (this.#size === 0) return emptyRoot(this.#sha256)
    return this.#edge.reduceRight((right, left) => nodeHash(this.#sha256, left, right))
  }
}
