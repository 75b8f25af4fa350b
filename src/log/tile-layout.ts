/** How a tree is cut into static files (C2SP tlog-tiles): names and widths. */
import type { NodeAt } from './prove.ts'

/** Hashes in a full tile, entries in a full bundle. */
export const TILE_WIDTH = 256
/** Levels of the tree in one tile. */
const TILE_HEIGHT = 8

/** One tile: at level 0 it holds leaves, above that the roots of full tiles. */
export interface TileAt {
  readonly level: number
  readonly index: number
  /** 1 to 256; below that the tile is partial, and has the width in its name. */
  readonly width: number
}

/** `tile/2/x001/234.p/17` */
export function tilePath({ level, index, width }: TileAt): string {
  return `tile/${level}/${numbered(index, width)}`
}

/** `tile/entries/x001/234.p/17` */
export function bundlePath({ index, width }: Pick<TileAt, 'index' | 'width'>): string {
  return `tile/entries/${numbered(index, width)}`
}

/** How many hashes of a level are in the tiles of a tree: the complete subtrees of 256^level leaves. */
export function hashesAt(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level)
}

/** The tiles of a tree's right edge that are not full, the lowest first. With them a log goes on. */
export function edgeOf(size: number): readonly TileAt[] {
  const edge: TileAt[] = []
  for (let level = 0; hashesAt(level, size) > 0; level += 1) {
    const hashes = hashesAt(level, size)
    const width = hashes % TILE_WIDTH
    if (width > 0) edge.push({ level, index: Math.floor(hashes / TILE_WIDTH), width })
  }
  return edge
}

/** The tile that holds a node of a tree, and which of its hashes the node is the root of; `undefined` beyond the tree. */
export function tileOf(
  { level, index }: NodeAt,
  size: number,
): { readonly tile: TileAt; readonly from: number; readonly to: number } | undefined {
  const tileLevel = Math.floor(level / TILE_HEIGHT)
  const span = 2 ** (level % TILE_HEIGHT)
  const first = index * span
  const hashes = hashesAt(tileLevel, size)
  if (first + span > hashes) return undefined
  const tileIndex = Math.floor(first / TILE_WIDTH)
  const before = tileIndex * TILE_WIDTH
  const tile = { level: tileLevel, index: tileIndex, width: Math.min(TILE_WIDTH, hashes - before) }
  return { tile, from: first - before, to: first - before + span }
}

function numbered(index: number, width: number): string {
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? []
  const path = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/')
  return width === TILE_WIDTH ? path : `${path}.p/${width}`
}
