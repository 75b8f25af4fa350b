import { hash } from 'node:crypto'

/**
 * The definitions of RFC 6962 §2.1 (and of draft-ietf-plants-merkle-tree-certs §4.4.1 for subtrees), word for word, slow, and
 * in `bigint`: what the log's own arithmetic is held against. An index without an entry holds the empty entry, so a tree of
 * 2^53 leaves can be had as well.
 */
export class NaiveTree {
  readonly #entries: ReadonlyMap<bigint, Uint8Array>
  readonly #blank = new Map<bigint, Buffer>()
  readonly size: bigint

  constructor(size: bigint | number, entries: ReadonlyMap<bigint, Uint8Array>) {
    this.size = BigInt(size)
    this.#entries = entries
  }

  /** MTH(D[start:end]) */
  root(start = 0n, end = this.size): Buffer {
    const count = end - start
    if (count === 0n) return sha256()
    if (count === 1n) return sha256(Buffer.of(0), this.#entries.get(start) ?? Buffer.alloc(0))
    const isBlank = ![...this.#entries.keys()].some((at) => at >= start && at < end)
    const known = isBlank ? this.#blank.get(count) : undefined
    if (known !== undefined) return known
    const k = start + split(count)
    const root = sha256(Buffer.of(1), this.root(start, k), this.root(k, end))
    if (isBlank) this.#blank.set(count, root)
    return root
  }

  /** PATH(m, D[start:end]) */
  path(m: bigint, start = 0n, end = this.size): Buffer[] {
    if (end - start === 1n) return []
    const k = start + split(end - start)
    return m < k ? [...this.path(m, start, k), this.root(k, end)] : [...this.path(m, k, end), this.root(start, k)]
  }

  /** SUBTREE_SUBPROOF(from, to, D[start:end], isKnown); with `from` 0 it is RFC 6962's PROOF(to, D[n]). */
  proof(from: bigint, to: bigint, start = 0n, end = this.size, isKnown = true): Buffer[] {
    if (from === start && to === end) return isKnown ? [] : [this.root(start, end)]
    const k = start + split(end - start)
    if (to <= k) return [...this.proof(from, to, start, k, isKnown), this.root(k, end)]
    if (k <= from) return [...this.proof(from, to, k, end, isKnown), this.root(start, k)]
    return [...this.proof(k, to, k, end, false), this.root(start, k)]
  }
}

/** The largest power of two below n. */
function split(n: bigint): bigint {
  return 2n ** BigInt((n - 1n).toString(2).length - 1)
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  return hash('sha256', Buffer.concat(parts), 'buffer')
}
