/** Making the proofs that `merkle.ts` checks (RFC 6962 §2.1.1, §2.1.2). */
import { emptyRoot, nodeHash } from './merkle.ts'
import type { Hash, Sha256 } from './ports.ts'
import { isSize, powerFrom } from './size.ts'

/** A complete subtree: the 2^level leaves that begin at index × 2^level. */
export interface NodeAt {
  readonly level: number
  readonly index: number
}

/** The hash of a complete subtree. A proof asks for at most a few hundred of them, all at once. */
export type ReadNode = (at: NodeAt) => Promise<Hash>

/** Leaves from `start` to before `end`. */
interface Leaves {
  readonly start: number
  readonly end: number
}

/** The root of the first `size` leaves. @throws RangeError when that is no size */
export async function rootOf(sha256: Sha256, readNode: ReadNode, size: number): Promise<Hash> {
  if (!isSize(size)) throw new RangeError(`${size} is not the size of a tree`)
  return size === 0 ? emptyRoot(sha256) : hashOf(sha256, readNode, { start: 0, end: size })
}

/** The path from the leaf at `index` to the root over `size` leaves. @throws RangeError when there is no such leaf */
export async function proveInclusion(
  sha256: Sha256,
  readNode: ReadNode,
  { index, size }: { readonly index: number; readonly size: number },
): Promise<readonly Hash[]> {
  if (!isSize(index) || !isSize(size) || index >= size) throw new RangeError(`no leaf ${index} in a tree of ${size}`)
  const siblings: Leaves[] = []
  let here: Leaves = { start: 0, end: size }
  while (here.end - here.start > 1) {
    const [left, right] = children(here)
    const isLeft = index < left.end
    siblings.push(isLeft ? right : left)
    here = isLeft ? left : right
  }
  return Promise.all(siblings.reverse().map((leaves) => hashOf(sha256, readNode, leaves)))
}

/**
 * What leads from the root over `from` leaves to the root over `to`.
 *
 * @throws RangeError unless 1 ≤ from ≤ to
 */
export async function proveConsistency(
  sha256: Sha256,
  readNode: ReadNode,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<readonly Hash[]> {
  if (!isSize(from) || !isSize(to) || from === 0 || from > to) throw new RangeError(`no proof from ${from} to ${to}`)
  const parts: Leaves[] = []
  let here: Leaves = { start: 0, end: to }
  while (here.end !== from) {
    const [left, right] = children(here)
    const isLeft = from <= left.end
    parts.push(isLeft ? right : left)
    here = isLeft ? left : right
  }
  // The verifier has the smaller tree's root already: it needs what it shares with the larger only if that is less.
  if (here.start !== 0) parts.push(here)
  return Promise.all(parts.reverse().map((leaves) => hashOf(sha256, readNode, leaves)))
}

/** RFC 6962 §2.1: the left child has as many leaves as the largest power of two below their number. */
function children({ start, end }: Leaves): readonly [Leaves, Leaves] {
  const middle = start + powerFrom(end - start) / 2
  return [
    { start, end: middle },
    { start: middle, end },
  ]
}

async function hashOf(sha256: Sha256, readNode: ReadNode, leaves: Leaves): Promise<Hash> {
  const nodes = await Promise.all(completeIn(leaves).map(readNode))
  return nodes.reduceRight((right, left) => nodeHash(sha256, left, right))
}

/** The complete subtrees of a range that a proof speaks of, from left to right: each is smaller than the one before. */
function completeIn({ start, end }: Leaves): readonly NodeAt[] {
  const nodes: NodeAt[] = []
  let at = start
  while (at < end) {
    let width = 1
    let level = 0
    while (at % (width * 2) === 0 && width * 2 <= end - at) {
      width *= 2
      level += 1
    }
    nodes.push({ level, index: at / width })
    at += width
  }
  return nodes
}
