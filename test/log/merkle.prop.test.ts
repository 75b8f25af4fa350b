import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { GrowingTree } from '../../src/log/growing-tree.ts'
import {
  leafHash,
  verifyConsistency,
  verifyInclusion,
  verifySubtreeConsistency,
  verifySubtreeInclusion,
} from '../../src/log/merkle.ts'
import { proveConsistency, proveInclusion, type ReadNode, rootOf } from '../../src/log/prove.ts'
import { flipped } from '../support/log-keys.ts'
import { NaiveTree } from '../support/naive-tree.ts'

const sha256 = sha256Bytes
const MOST = Number.MAX_SAFE_INTEGER

const entry = fc.uint8Array({ maxLength: 12 })
/** A few entries, each leaf different from its neighbours often enough. */
const smallTree = fc
  .array(entry, { minLength: 1, maxLength: 70 })
  .map((entries) => new NaiveTree(entries.length, new Map(entries.map((one, index) => [BigInt(index), one]))))

/** Beyond 32 bits, and up to the last size that there is: blank but for a few entries. */
const hugeTree = fc
  .tuple(fc.integer({ min: 2 ** 32, max: MOST }), fc.array(fc.tuple(fc.nat(MOST), entry), { maxLength: 3 }))
  .map(([size, some]) => new NaiveTree(size, new Map(some.map(([at, one]) => [BigInt(at % size), one]))))

const tree = fc.oneof(smallTree, hugeTree)
/** Near either end, near a power of two, or anywhere. */
const place = (size: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.nat(size),
    fc.nat(Math.min(size, 3)),
    fc.nat(Math.min(size, 3)).map((back) => size - back),
    fc
      .tuple(fc.nat(53), fc.integer({ min: -1, max: 1 }))
      .map(([power, by]) => Math.min(size, Math.max(0, 2 ** power + by))),
  )
const treeWith = <Count extends 1 | 2>(count: Count): fc.Arbitrary<[NaiveTree, number[]]> =>
  tree.chain((one) =>
    fc.tuple(fc.constant(one), fc.array(place(Number(one.size)), { minLength: count, maxLength: count })),
  )

function nodesOf(naive: NaiveTree): ReadNode {
  return async ({ level, index }) => {
    const width = 2n ** BigInt(level)
    return naive.root(BigInt(index) * width, (BigInt(index) + 1n) * width)
  }
}

const bytesOf = (hashes: readonly Uint8Array[]): readonly string[] =>
  hashes.map((one) => Buffer.from(one).toString('hex'))

/** Claims that differ in one bit of one hash: of what is claimed (the first two), and of about eight of the path. */
function anyFlip(hashes: readonly Uint8Array[], bit: number): readonly (readonly Uint8Array[])[] {
  const step = Math.ceil(hashes.length / 8)
  return hashes.flatMap((hash, index) =>
    index < 2 || (index + bit) % step === 0 ? [hashes.with(index, flipped(hash, bit))] : [],
  )
}

describe('I6: a log of any size up to 2^53 - 1 leaves', () => {
  it('has the root that RFC 6962 defines', async () => {
    await fc.assert(
      fc.asyncProperty(tree, async (naive) => {
        const root = await rootOf(sha256, nodesOf(naive), Number(naive.size))
        expect(bytesOf([root])).toEqual(bytesOf([naive.root()]))
      }),
    )
  })

  it('proves each entry as RFC 6962 defines it; and with any bit turned, nothing is proved', async () => {
    await fc.assert(
      fc.asyncProperty(treeWith(1), fc.nat(255), async ([naive, [at = 0]], bit) => {
        const size = Number(naive.size)
        const index = Math.min(at, size - 1)
        const proof = await proveInclusion(sha256, nodesOf(naive), { index, size })
        expect(bytesOf(proof)).toEqual(bytesOf(naive.path(BigInt(index))))
        const leaf = naive.root(BigInt(index), BigInt(index) + 1n)
        const holds = ([first, root, ...path]: readonly Uint8Array[]): boolean =>
          verifyInclusion(sha256, { index, leaf: first ?? leaf, size, root: root ?? leaf, proof: path })
        const claim = [leaf, naive.root(), ...proof]
        expect(holds(claim)).toBe(true)
        for (const other of anyFlip(claim, bit)) expect(holds(other)).toBe(false)
        if (proof.length > 0) expect(holds(claim.slice(0, -1))).toBe(false)
        expect(holds([...claim, leaf])).toBe(false)
      }),
    )
  })

  it('proves that it continues each earlier tree as RFC 6962 defines it; and with any bit turned, it does not', async () => {
    await fc.assert(
      fc.asyncProperty(treeWith(1), fc.nat(255), async ([naive, [at = 1]], bit) => {
        const to = Number(naive.size)
        const from = Math.max(1, at)
        const proof = await proveConsistency(sha256, nodesOf(naive), { from, to })
        expect(bytesOf(proof)).toEqual(bytesOf(naive.proof(0n, BigInt(from))))
        const holds = ([earlier, later, ...rest]: readonly Uint8Array[]): boolean =>
          verifyConsistency(sha256, {
            from: { size: from, root: earlier ?? naive.root() },
            to: { size: to, root: later ?? naive.root() },
            proof: rest,
          })
        const claim = [naive.root(0n, BigInt(from)), naive.root(), ...proof]
        expect(holds(claim)).toBe(true)
        for (const other of anyFlip(claim, bit)) expect(holds(other)).toBe(false)
        if (proof.length > 0) expect(holds(claim.slice(0, -1))).toBe(false)
        expect(holds([...claim, naive.root()])).toBe(false)
      }),
    )
  })

  it('holds each of its subtrees, and no other with their proof', () => {
    fc.assert(
      fc.property(treeWith(2), fc.nat(255), ([naive, [a = 0, b = 1]], bit) => {
        const size = Number(naive.size)
        const end = Math.max(1, a, b)
        let width = 1
        while (width < end - Math.min(a, b)) width *= 2
        // Down to where a subtree of this width may begin.
        const start = Math.max(0, Math.floor((end - 1) / width) * width)
        const root = naive.root(BigInt(start), BigInt(end))
        const proof = naive.proof(BigInt(start), BigInt(end))
        const holds = (claim: readonly Uint8Array[]): boolean =>
          verifySubtreeConsistency(sha256, {
            subtree: { start, end, root: claim[0] ?? root },
            to: { size, root: claim[1] ?? root },
            proof: claim.slice(2),
          })
        const claim = [root, naive.root(), ...proof]
        expect(holds(claim)).toBe(true)
        for (const other of anyFlip(claim, bit)) expect(holds(other)).toBe(false)
        const last = BigInt(end - 1)
        const within = {
          index: end - 1,
          leaf: naive.root(last, last + 1n),
          proof: naive.path(last, BigInt(start), BigInt(end)),
          subtree: { start, end, root },
        }
        expect(verifySubtreeInclusion(sha256, within)).toBe(true)
        expect(verifySubtreeInclusion(sha256, { ...within, index: end })).toBe(false)
      }),
    )
  })

  it('has the same roots when only its right edge is held', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 70 }), (entries) => {
        const naive = new NaiveTree(entries.length, new Map(entries.map((one, index) => [BigInt(index), one])))
        const growing = new GrowingTree(sha256)
        expect(bytesOf([growing.root()])).toEqual(bytesOf([naive.root(0n, 0n)]))
        for (const one of entries) {
          growing.append(leafHash(sha256, one))
          expect(bytesOf([growing.root()])).toEqual(bytesOf([naive.root(0n, BigInt(growing.size))]))
        }
      }),
      { numRuns: 30 },
    )
  })
})
