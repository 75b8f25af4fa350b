import { writeBundle } from './bundle.ts'
import { joined, malformed, sameBytes } from './encoding.ts'
import { leafHash } from './merkle.ts'
import type { Hash, Sha256, TileStorage } from './ports.ts'
import { rootOf } from './prove.ts'
import { bundlePath, edgeOf, hashesAt, TILE_WIDTH, tileOf, tilePath } from './tile-layout.ts'
import { foldComplete, readEntries, readTile, type TreeHead } from './tiles.ts'

/**
 * Where a tree grows: at each level the hashes that do not fill a tile yet, and the entries of the last bundle. Files are
 * written as they fill up, in memory that grows with the logarithm of the tree.
 */
export class RightEdge {
  readonly #storage: TileStorage
  readonly #sha256: Sha256
  readonly #levels: Hash[][] = []
  /** Levels with hashes that no file holds yet. */
  readonly #unwritten = new Set<number>()
  #entries: Uint8Array[] = []
  #size = 0

  constructor(storage: TileStorage, sha256: Sha256) {
    this.#storage = storage
    this.#sha256 = sha256
  }

  /**
   * Takes up a tree where it ended.
   *
   * @throws HoldpointError ERR_FORMAT when the files do not have the head's root
   */
  async load({ size, root }: TreeHead): Promise<void> {
    this.#size = size
    for (const at of edgeOf(size)) this.#levels[at.level] = [...(await readTile(this.#storage, at))]
    const found = await this.head()
    if (!sameBytes(found.root, root)) throw malformed('the edge of the tiles', `has not the root of ${size} leaves`)
    const leaves = this.#levels[0] ?? []
    if (leaves.length === 0) return
    const at = { index: Math.floor(size / TILE_WIDTH), width: leaves.length }
    this.#entries = [...(await readEntries(this.#storage, at))]
    const wrong = this.#entries.findIndex((entry, index) => !this.#isLeaf(entry, leaves[index]))
    if (wrong !== -1) throw malformed(bundlePath(at), `has another entry ${wrong + 1} than the tree`, bundlePath(at))
  }

  async push(entry: Uint8Array): Promise<void> {
    this.#size += 1
    this.#entries.push(entry)
    await this.#add(0, leafHash(this.#sha256, entry))
  }

  /** Writes what does not fill a tile: with that, the files are those of a tree of this size. */
  async writePartial(): Promise<void> {
    for (const level of this.#unwritten) await this.#write(level)
    this.#unwritten.clear()
  }

  async head(): Promise<TreeHead> {
    const root = await rootOf(
      this.#sha256,
      async (node) => {
        const place = tileOf(node, this.#size)
        const tile = place === undefined ? [] : (this.#levels[place.tile.level] ?? [])
        return foldComplete(this.#sha256, tile.slice(place?.from, place?.to))
      },
      this.#size,
    )
    return { size: this.#size, root }
  }

  async #add(level: number, hash: Hash): Promise<void> {
    const hashes = this.#levels[level] ?? []
    hashes.push(hash)
    this.#levels[level] = hashes
    this.#unwritten.add(level)
    if (hashes.length < TILE_WIDTH) return
    await this.#write(level)
    this.#unwritten.delete(level)
    this.#levels[level] = []
    if (level === 0) this.#entries = []
    await this.#add(level + 1, foldComplete(this.#sha256, hashes))
  }

  /** Entries before their hashes, so that no tile speaks of an entry that is nowhere. */
  async #write(level: number): Promise<void> {
    const hashes = this.#levels[level] ?? []
    const index = Math.floor((hashesAt(level, this.#size) - hashes.length) / TILE_WIDTH)
    const at = { level, index, width: hashes.length }
    if (level === 0) await this.#storage.write(bundlePath(at), writeBundle(this.#entries))
    await this.#storage.write(tilePath(at), joined(...hashes))
  }

  #isLeaf(entry: Uint8Array, leaf: Hash | undefined): boolean {
    return leaf !== undefined && sameBytes(leafHash(this.#sha256, entry), leaf)
  }
}
