import { emptyRoot, nodeHash } from './merkle.ts'
import type { Hash, Sha256 } from './ports.ts'
import { half, isOdd } from './size.ts'

/** What the log must come to: a tree of which only the right edge is held, with its root after every leaf. */
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

  append(leaf: Hash): void {
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
