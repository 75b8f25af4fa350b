/** Partial tiles: each is the beginning of every wider one, so that few of them need to stay. */
import { hashesAt, TILE_WIDTH, tilePath } from '../log/tile-layout.ts'

/** Readers that still have an earlier checkpoint find its partial tiles for as many checkpoints more. */
export const PARTIAL_TILES_KEPT = 8
/** The tile that a partial one becomes, and its width. */
export const PARTIAL = /^(.*)\.p\/(\d+)$/
const HASH_BYTES = 32

/** The folders of partial tiles that a tree may have had while it grew. */
export function* partialsBetween(
  from: number,
  to: number,
): Generator<{ readonly partial: string; readonly isFull: boolean }> {
  for (let level = 0; hashesAt(level, to) > 0; level += 1) {
    const last = Math.floor(hashesAt(level, to) / TILE_WIDTH)
    for (let index = Math.floor(hashesAt(level, from) / TILE_WIDTH); index <= last; index += 1) {
      const path = tilePath({ level, index, width: TILE_WIDTH })
      const isFull = index < last
      yield { partial: `${path}.p`, isFull }
      if (level === 0) yield { partial: `${path.replace('tile/0/', 'tile/entries/')}.p`, isFull }
    }
  }
}

/** The first hashes of a tile, or the first entries of a bundle, each behind its length. */
export function beginningOf(bytes: Uint8Array, width: number, isBundle: boolean): Uint8Array | undefined {
  if (!isBundle) return bytes.subarray(0, width * HASH_BYTES)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let end = 0
  for (let entry = 0; entry < width; entry += 1) {
    if (end + 2 > bytes.length) return undefined
    end += 2 + view.getUint16(end)
  }
  return end > bytes.length ? undefined : bytes.subarray(0, end)
}
