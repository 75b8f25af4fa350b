import { sha256 } from './bytes.ts'

/** RFC 6962 §2.1, read backwards: what a path leads to. */
const node = (left: Uint8Array, right: Uint8Array): Buffer => sha256(Buffer.of(1), left, right)

export function rootOf(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves
  if (only === undefined) return sha256('')
  if (leaves.length === 1) return only
  const k = below(leaves.length)
  return node(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)))
}

/** The root that an inclusion proof leads to, or nothing where it has not the length of one. */
export function climb(leaf: Buffer, index: number, size: number, path: readonly Buffer[]): Buffer | undefined {
  if (index >= size) return undefined
  if (size === 1) return path.length === 0 ? leaf : undefined
  const last = path.at(-1)
  if (last === undefined) return undefined
  const k = below(size)
  const rest = path.slice(0, -1)
  const inner = index < k ? climb(leaf, index, k, rest) : climb(leaf, index - k, size - k, rest)
  if (inner === undefined) return undefined
  return index < k ? node(inner, last) : node(last, inner)
}

interface Sized {
  readonly size: number
  readonly root: Buffer
}

export function isBeginning(from: Sized, to: Sized, proof: readonly Buffer[]): boolean {
  const left = [...proof]
  const roots = both(from.size, to.size, from.root, true, left)
  return roots !== undefined && left.length === 0 && roots[0].equals(from.root) && roots[1].equals(to.root)
}

type Roots = readonly [earlier: Buffer, later: Buffer]

function both(m: number, n: number, root: Buffer, isWhole: boolean, proof: Buffer[]): Roots | undefined {
  if (m === n) {
    const hash = isWhole ? root : proof.pop()
    return hash === undefined ? undefined : [hash, hash]
  }
  const k = below(n)
  const outer = proof.pop()
  if (outer === undefined) return undefined
  const roots = m <= k ? both(m, k, root, isWhole, proof) : both(m - k, n - k, root, false, proof)
  if (roots === undefined) return undefined
  return m <= k ? [roots[0], node(roots[1], outer)] : [node(outer, roots[0]), node(outer, roots[1])]
}

function below(size: number): number {
  let k = 1
  while (k * 2 < size) k *= 2
  return k
}
