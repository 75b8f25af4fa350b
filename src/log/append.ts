import { MOST_ENTRY_BYTES, writeBundle } from './bundle.ts'
import { joined, malformed, sameBytes } from './encoding.ts'
import { leafHash } from './merkle.ts'
import type { Hash, Sha256, TileStorage } from './ports.ts'
import { rootOf } from './prove.ts'
import { MOST_LEAVES } from './size.ts'
import { bundlePath, edgeOf, hashesAt, TILE_WIDTH, tileOf, tilePath } from './tile-layout.ts'
import { foldComplete, readEntries, readTile, type TreeHead } from './tiles.ts'

/**
 * Writes entries behind those of a tree, and gives the head of the tree that then is. The checkpoint is the caller's to sign, and
 * to write last: until then nobody may rely on the files, and writing other entries over them after a crash is no fork.
 *
 * INVARIANT I6: the right edge is first held against the head. Built upon a torn tile, the log would sign a root for which nobody
 * can ever make a proof.
 *
 * @param log one writer at a time: two would overwrite each other
 * @throws HoldpointError ERR_FORMAT when an entry is above 65 535 bytes, or the files do not have the head's root
 */
export async function appendEntries(
  { storage, sha256 }: { readonly storage: TileStorage; readonly sha256: Sha256 },
  head: TreeHead,
  entries: readonly Uint8Array[],
): Promise<TreeHead> {
  const tooLarge = entries.findIndex((entry) => entry.length > MOST_ENTRY_BYTES)
  if (tooLarge !== -1) throw malformed(`entry ${tooLarge + 1}`, `has more than ${MOST_ENTRY_BYTES} bytes`)
  if (head.size > MOST_LEAVES - entries.length) throw malformed('the log', 'is full')
  const edge = new RightEdge(storage, sha256)
  await edge.load(head)
  for (const entry of entries) await edge.push(entry)
  await edge.writePartial()
  return edge.head()
}

/** At each level the hashes that do not fill a tile yet, and the entries of the last bundle. */
class RightEdge {
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
