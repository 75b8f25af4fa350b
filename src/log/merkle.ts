/** The Merkle tree of RFC 6962 §2.1 (RFC 9162 §2.1): hashes, and the checking of proofs. `prove.ts` makes them. */
import { HASH_BYTES, sameBytes } from './encoding.ts'
import type { Hash, Sha256 } from './ports.ts'
import { half, isOdd, isSize, MOST_PROOF_HASHES, powerFrom } from './size.ts'

// Leaves and nodes are hashed under different first bytes: otherwise two hashes side by side would pass for an entry.
const LEAF = 0x00
const NODE = 0x01

/** The leaf of an entry: SHA-256(0x00 ‖ entry). Of a receipt's payload, this is the receipt's hash. */
export function leafHash(sha256: Sha256, entry: Uint8Array): Hash {
  const bytes = new Uint8Array(1 + entry.length)
  bytes[0] = LEAF
  bytes.set(entry, 1)
  return sha256(bytes)
}

/** The node above two others: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(sha256: Sha256, left: Hash, right: Hash): Hash {
  const bytes = new Uint8Array(1 + 2 * HASH_BYTES)
  bytes[0] = NODE
  bytes.set(left, 1)
  bytes.set(right, 1 + HASH_BYTES)
  return sha256(bytes)
}

/** The root of a tree without leaves: SHA-256 of nothing. */
export function emptyRoot(sha256: Sha256): Hash {
  return sha256(new Uint8Array(0))
}

/** A claim that a leaf stands at an index of a tree. */
export interface Inclusion {
  /** Zero-based. */
  readonly index: number
  readonly leaf: Hash
  readonly size: number
  readonly root: Hash
  /** From the leaf's sibling up to a child of the root. */
  readonly proof: readonly Hash[]
}

/** A claim that a tree is the beginning of a larger one. */
export interface Consistency {
  /** At least 1: every tree begins with the empty one, so a proof of that would prove nothing. */
  readonly from: { readonly size: number; readonly root: Hash }
  readonly to: { readonly size: number; readonly root: Hash }
  readonly proof: readonly Hash[]
}

/**
 * The leaves from `start` to before `end`, with the root of the tree over just these (draft-ietf-plants-merkle-tree-certs §4).
 * `start` has to be a multiple of a power of two that is no less than their number; other ranges have no short proof.
 */
export interface Subtree {
  readonly start: number
  readonly end: number
  readonly root: Hash
}

/**
 * Does the proof lead from the leaf to the root? (RFC 9162 §2.1.3.2)
 *
 * It says nothing about `size` by itself: that has to come with the root, out of one signed checkpoint.
 */
export function verifyInclusion(sha256: Sha256, { index, leaf, size, root, proof }: Inclusion): boolean {
  return verifySubtreeInclusion(sha256, { index, leaf, proof, subtree: { start: 0, end: size, root } })
}

/** The same within a subtree; `index` counts from the beginning of the whole tree. */
export function verifySubtreeInclusion(
  sha256: Sha256,
  { index, leaf, proof, subtree }: Pick<Inclusion, 'index' | 'leaf' | 'proof'> & { readonly subtree: Subtree },
): boolean {
  const root = climbed(sha256, { index, leaf, proof, within: subtree })
  return root !== undefined && sameBytes(root, subtree.root)
}

/** The root that the proof leads to, for who learns the right one later; `undefined` where it can lead to none. */
export function rootOfInclusion(
  sha256: Sha256,
  { index, leaf, size, proof }: Omit<Inclusion, 'root'>,
): Hash | undefined {
  return climbed(sha256, { index, leaf, proof, within: { start: 0, end: size } })
}

function climbed(
  sha256: Sha256,
  {
    index,
    leaf,
    proof,
    within,
  }: Pick<Inclusion, 'index' | 'leaf' | 'proof'> & { readonly within: Pick<Subtree, 'start' | 'end'> },
): Hash | undefined {
  const { start, end } = within
  if (!isSubtree(within) || !isSize(index) || index < start || index >= end) return undefined
  if (!areHashes([leaf]) || !areHashes(proof)) return undefined
  let node = index - start
  let last = end - start - 1
  let hash = leaf
  for (const sibling of proof) {
    if (last === 0) return undefined
    if (isOdd(node) || node === last) {
      hash = nodeHash(sha256, sibling, hash)
      // On the right edge the levels without a sibling have no hash in the proof.
      while (!isOdd(node) && node !== 0) {
        node = half(node)
        last = half(last)
      }
    } else {
      hash = nodeHash(sha256, hash, sibling)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 ? hash : undefined
}

/** Is the first tree the beginning of the second: nothing changed, nothing taken away? (RFC 9162 §2.1.4.2) */
export function verifyConsistency(sha256: Sha256, { from, to, proof }: Consistency): boolean {
  if (from.size === 0) return false
  return verifySubtreeConsistency(sha256, { subtree: { start: 0, end: from.size, root: from.root }, to, proof })
}

/** Does the tree hold the subtree? (draft-ietf-plants-merkle-tree-certs §4.4.3) An empty one is held by every tree. */
export function verifySubtreeConsistency(
  sha256: Sha256,
  { subtree, to, proof }: Pick<Consistency, 'to' | 'proof'> & { readonly subtree: Subtree },
): boolean {
  const { start, end, root } = subtree
  if (!isSize(to.size) || !isSize(end) || end > to.size || !areHashes(proof)) return false
  if (start === end) return proof.length === 0 && sameBytes(root, emptyRoot(sha256))
  if (!isSubtree(subtree)) return false
  // The same tree twice: the roots are compared, and nothing is hashed.
  if (start === 0 && end === to.size) return proof.length === 0 && sameBytes(root, to.root)
  if (!areHashes([root])) return false

  let first = start
  let node = end - 1
  let last = to.size - 1
  const climb = (): void => {
    first = half(first)
    node = half(node)
    last = half(last)
  }
  // Up to the largest subtree that both trees have whole.
  while (first !== node && (node === last || isOdd(node))) climb()
  // That may be the subtree itself; otherwise it is the first hash of the proof.
  const [seed, rest] = first === node ? [root, proof] : [proof[0], proof.slice(1)]
  if (seed === undefined) return false
  let smaller = seed
  let larger = seed
  for (const sibling of rest) {
    if (last === 0) return false
    if (isOdd(node) || node === last) {
      if (first < node) smaller = nodeHash(sha256, sibling, smaller)
      larger = nodeHash(sha256, sibling, larger)
      while (!isOdd(node) && node !== 0) climb()
    } else {
      larger = nodeHash(sha256, larger, sibling)
    }
    climb()
  }
  return last === 0 && sameBytes(smaller, root) && sameBytes(larger, to.root)
}

function isSubtree({ start, end }: Pick<Subtree, 'start' | 'end'>): boolean {
  return isSize(start) && isSize(end) && start < end && start % powerFrom(end - start) === 0
}

/** UNTRUSTED: a hash of another length would be hashed as part of something else. */
function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.length <= MOST_PROOF_HASHES && hashes.every((hash) => hash.length === HASH_BYTES)
}
