import { describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import {
  emptyRoot,
  leafHash,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
  verifySubtreeConsistency,
  verifySubtreeInclusion,
} from '../../src/log/merkle.ts'
import { proveConsistency, proveInclusion, type ReadNode, rootOf } from '../../src/log/prove.ts'
import { ascii } from '../support/log-keys.ts'
import { vectorFiles } from './vectors.ts'

interface ProofVector {
  readonly leafIdx: number
  readonly treeSize: number
  readonly size1: number
  readonly size2: number
  readonly start: number
  readonly end: number
  readonly size: number
  readonly root: string
  readonly root1: string
  readonly root2: string
  readonly leafHash: string
  readonly proof: readonly string[] | null
  readonly wantErr: boolean
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'base64')
const hashes = (texts: readonly string[] | null): readonly Uint8Array[] => (texts ?? []).map(bytes)

const verdicts: { readonly [folder: string]: (vector: ProofVector) => boolean } = {
  inclusion: ({ leafIdx, treeSize, root, leafHash: leaf, proof }) =>
    verifyInclusion(sha256Bytes, {
      index: leafIdx,
      leaf: bytes(leaf),
      size: treeSize,
      root: bytes(root),
      proof: hashes(proof),
    }),
  consistency: ({ size1, size2, root1, root2, proof }) =>
    verifyConsistency(sha256Bytes, {
      from: { size: size1, root: bytes(root1) },
      to: { size: size2, root: bytes(root2) },
      proof: hashes(proof),
    }),
  subtreeinclusion: ({ leafIdx, start, end, root, leafHash: leaf, proof }) =>
    verifySubtreeInclusion(sha256Bytes, {
      index: leafIdx,
      leaf: bytes(leaf),
      proof: hashes(proof),
      subtree: { start, end, root: bytes(root) },
    }),
  subtreeconsistency: ({ start, end, size, root1, root2, proof }) =>
    verifySubtreeConsistency(sha256Bytes, {
      subtree: { start, end, root: bytes(root1) },
      to: { size, root: bytes(root2) },
      proof: hashes(proof),
    }),
}

describe('proofs are accepted and rejected as transparency-dev/merkle has it, so other verifiers agree with ours', () => {
  it.for(Object.entries(verdicts))('every vector of %s', ([folder, verdict], { skip }) => {
    const vectors = [...vectorFiles('merkle', 'testdata', folder)]
    if (vectors.length === 0) return skip('no vectors')
    const read = vectors.map(([name, file]): [string, ProofVector] => [name, JSON.parse(file.toString('utf8'))])
    const wrong = read.filter(([, vector]) => verdict(vector) === vector.wantErr).map(([name]) => name)
    expect(wrong).toEqual([])
    // A verifier that says the same to everything would not come this far.
    expect(new Set(read.map(([, { wantErr }]) => wantErr))).toEqual(new Set([true, false]))
  })
})

const one = leafHash(sha256Bytes, ascii('entry 0'))
const two = leafHash(sha256Bytes, ascii('entry 1'))

describe('a tree', () => {
  it('hashes leaves and nodes apart, so two hashes side by side do not pass for an entry', () => {
    const node = nodeHash(sha256Bytes, one, two)
    expect(leafHash(sha256Bytes, Buffer.concat([one, two]))).not.toEqual(node)
  })

  it('has the known roots of RFC 6962 for nothing and for one empty entry', () => {
    const hex = (root: Uint8Array): string => Buffer.from(root).toString('hex')
    expect(hex(emptyRoot(sha256Bytes))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    const empty = leafHash(sha256Bytes, new Uint8Array(0))
    expect(hex(empty)).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
  })
})

describe('a proof', () => {
  const root = nodeHash(sha256Bytes, one, two)
  const good = { index: 0, leaf: one, size: 2, root, proof: [two] }

  it('with hashes of another length is no proof, whatever they hash to', () => {
    expect(verifyInclusion(sha256Bytes, good)).toBe(true)
    // The same bytes, cut elsewhere.
    const [short, long] = [one.subarray(0, 31), Buffer.concat([one.subarray(31), two])]
    expect(verifyInclusion(sha256Bytes, { ...good, leaf: short, proof: [long] })).toBe(false)
  })

  it('of a million hashes is refused without hashing them, so a hostile bundle costs nothing', () => {
    let hashed = 0
    const counted = (data: Uint8Array): Uint8Array => {
      hashed += 1
      return sha256Bytes(data)
    }
    const proof = Array.from({ length: 1_000_000 }, () => two)
    const head = { size: Number.MAX_SAFE_INTEGER, root }
    expect(verifyInclusion(counted, { ...good, size: head.size, proof })).toBe(false)
    expect(verifyConsistency(counted, { from: { size: 1, root: one }, to: head, proof })).toBe(false)
    expect(hashed).toBe(0)
  })

  it.each([
    ['beyond the tree', { index: 2 }],
    ['at an index below zero', { index: -1 }],
    ['at a fraction', { index: 0.5 }],
    ['at no number', { index: Number.NaN }],
    ['of a size that a double cannot tell from the next', { size: 2 ** 53 }],
  ])('%s is none', (_, change) => {
    expect(verifyInclusion(sha256Bytes, { ...good, ...change })).toBe(false)
  })

  it('from the empty tree is none: it would be true of every tree', () => {
    const from = { size: 0, root: emptyRoot(sha256Bytes) }
    expect(verifyConsistency(sha256Bytes, { from, to: { size: 2, root }, proof: [] })).toBe(false)
  })

  it('of a tree that lost its tail is none', async () => {
    const from = { size: 2, root }
    expect(verifyConsistency(sha256Bytes, { from, to: { size: 1, root: one }, proof: [] })).toBe(false)
  })

  it('that cannot be is not made', async () => {
    const readNode: ReadNode = async () => one
    await expect(proveInclusion(sha256Bytes, readNode, { index: 2, size: 2 })).rejects.toThrow(RangeError)
    await expect(proveConsistency(sha256Bytes, readNode, { from: 0, to: 2 })).rejects.toThrow(RangeError)
    await expect(proveConsistency(sha256Bytes, readNode, { from: 3, to: 2 })).rejects.toThrow(RangeError)
    await expect(rootOf(sha256Bytes, readNode, 2 ** 53)).rejects.toThrow(RangeError)
  })
})
