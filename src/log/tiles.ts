/** Reading a log that is kept as C2SP tiles. The files are anybody's: what is read is checked before it is built upon. */
import { readBundle } from './bundle.ts'
import { HASH_BYTES, malformed } from './encoding.ts'
import { nodeHash, verifyConsistency, verifyInclusion } from './merkle.ts'
import type { Hash, Sha256, TileStorage } from './ports.ts'
import { type NodeAt, proveConsistency, proveInclusion, type ReadNode, rootOf } from './prove.ts'
import { bundlePath, TILE_WIDTH, type TileAt, tileOf, tilePath } from './tile-layout.ts'

/** How far a tree has come. */
export interface TreeHead {
  readonly size: number
  readonly root: Hash
}

/** A log's files, and what they are hashed with. */
export interface TileLog {
  readonly storage: Pick<TileStorage, 'read'>
  readonly sha256: Sha256
}

/**
 * The hashes of one tile. Where the partial tile is gone, the full one has the same at its beginning.
 *
 * @throws HoldpointError ERR_FORMAT when the file is missing or has another length; `at` is its path
 */
export async function readTile(storage: TileLog['storage'], at: TileAt): Promise<readonly Hash[]> {
  const { bytes, path, width } = await fileOf(storage, at, tilePath)
  if (bytes.length !== width * HASH_BYTES) {
    throw malformed(path, `has ${bytes.length} bytes, and ${width} hashes take ${width * HASH_BYTES}`, path)
  }
  return Array.from({ length: at.width }, (_, index) => bytes.slice(index * HASH_BYTES, (index + 1) * HASH_BYTES))
}

/**
 * The entries of one bundle.
 *
 * @throws HoldpointError ERR_FORMAT when the file is missing, or is not so many entries; `at` is its path
 */
export async function readEntries(
  storage: TileLog['storage'],
  at: Pick<TileAt, 'index' | 'width'>,
): Promise<readonly Uint8Array[]> {
  const { bytes, path, width } = await fileOf(storage, at, bundlePath)
  return readBundle(bytes, width, path).slice(0, at.width)
}

/** Reads nodes of the tree at one size out of its tiles, each tile once. Nothing is checked against a root here. */
export function nodesOf({ storage, sha256 }: TileLog, size: number): ReadNode {
  const tiles = new Map<string, Promise<readonly Hash[]>>()
  return async (node: NodeAt) => {
    const place = tileOf(node, size)
    if (place === undefined) throw new RangeError(`no node ${node.level}/${node.index} in a tree of ${size}`)
    const path = tilePath(place.tile)
    const tile = tiles.get(path) ?? readTile(storage, place.tile)
    tiles.set(path, tile)
    return foldComplete(sha256, (await tile).slice(place.from, place.to))
  }
}

/**
 * The leaf at an index with its proof, made from the tiles and checked against the head.
 *
 * @throws HoldpointError ERR_FORMAT when the tiles do not have that root; RangeError when there is no such leaf
 */
export async function inclusionIn(
  log: TileLog,
  { size, root }: TreeHead,
  index: number,
): Promise<{ readonly leaf: Hash; readonly proof: readonly Hash[] }> {
  const readNode = nodesOf(log, size)
  const proof = await proveInclusion(log.sha256, readNode, { index, size })
  const leaf = await readNode({ level: 0, index })
  if (!verifyInclusion(log.sha256, { index, leaf, size, root, proof })) {
    throw malformed(`the path of leaf ${index} in the tiles`, `does not lead to the root of ${size} leaves`)
  }
  return { leaf, proof }
}

/**
 * The proof that the later head continues the earlier one, made from the tiles and checked against both.
 *
 * @throws HoldpointError ERR_FORMAT when the tiles do not have both roots; RangeError unless 1 ≤ from ≤ to
 */
export async function consistencyIn(log: TileLog, from: TreeHead, to: TreeHead): Promise<readonly Hash[]> {
  const proof = await proveConsistency(log.sha256, nodesOf(log, to.size), { from: from.size, to: to.size })
  if (!verifyConsistency(log.sha256, { from, to, proof })) {
    throw malformed('the tiles', `do not lead from the root of ${from.size} leaves to that of ${to.size}`)
  }
  return proof
}

/**
 * The root of the first `size` leaves, from the tiles of their right edge.
 *
 * @throws HoldpointError ERR_FORMAT when a tile is missing or torn
 */
export async function rootIn(log: TileLog, size: number): Promise<Hash> {
  return rootOf(log.sha256, nodesOf(log, size), size)
}

/** The root over a power of two of hashes. */
export function foldComplete(sha256: Sha256, hashes: readonly Hash[]): Hash {
  const [first, second] = hashes
  if (first === undefined) throw new RangeError('no hashes to fold')
  if (second === undefined) return first
  const middle = hashes.length / 2
  return nodeHash(sha256, foldComplete(sha256, hashes.slice(0, middle)), foldComplete(sha256, hashes.slice(middle)))
}

async function fileOf<At extends Pick<TileAt, 'width'>>(
  storage: TileLog['storage'],
  at: At,
  pathOf: (at: At) => string,
): Promise<{ readonly bytes: Uint8Array; readonly path: string; readonly width: number }> {
  const path = pathOf(at)
  const bytes = await storage.read(path)
  if (bytes !== undefined) return { bytes, path, width: at.width }
  const whole = pathOf({ ...at, width: TILE_WIDTH })
  const full = whole === path ? undefined : await storage.read(whole)
  if (full === undefined) throw malformed(path, 'is missing', path)
  return { bytes: full, path: whole, width: TILE_WIDTH }
}
