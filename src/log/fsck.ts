import { HoldpointError } from '../errors.ts'
import { HASH_BYTES, sameBytes } from './encoding.ts'
import type { TileStorage } from './ports.ts'
import { RightEdge } from './right-edge.ts'
import { TILE_WIDTH } from './tile-layout.ts'
import { readEntries, type TileLog, type TreeHead } from './tiles.ts'

/** The first thing that is wrong with a log's files. */
export interface LogFault {
  /** Below the log's prefix. */
  readonly path: string
  /** The first byte of the file that is not what it should be. */
  readonly byte?: number
  readonly why: string
}

/**
 * Writes the whole log once more out of its entries, and holds every file against what is there.
 *
 * Where an entry and its hash disagree, the file of hashes is named, with the entry: the two cannot tell which of them was
 * changed.
 *
 * @returns `undefined` when every entry and every tile of the tree is as it should be, and leads to the root
 */
export async function findFault(log: TileLog, head: TreeHead): Promise<LogFault | undefined> {
  const edge = new RightEdge(comparing(log.storage), log.sha256)
  try {
    for (let index = 0; index * TILE_WIDTH < head.size; index += 1) {
      const at = { index, width: Math.min(TILE_WIDTH, head.size - index * TILE_WIDTH) }
      for (const entry of await readEntries(log.storage, at)) await edge.push(entry)
    }
    await edge.writePartial()
  } catch (error) {
    if (error instanceof Difference) return error.fault
    if (error instanceof HoldpointError && error.at !== undefined) return { path: error.at, why: error.message }
    throw error
  }
  const { root } = await edge.head()
  return sameBytes(root, head.root)
    ? undefined
    : {
        path: 'checkpoint',
        why: `the entries and tiles agree on another root of ${head.size} leaves: entries were changed, dropped, moved or put in, and their hashes with them`,
      }
}

class Difference extends Error {
  readonly fault: LogFault

  constructor(fault: LogFault) {
    super(fault.why)
    this.fault = fault
  }
}

/** Takes what should be written, and compares. Where a partial file was tidied away, the full one begins with the same. */
function comparing(storage: TileLog['storage']): TileStorage {
  return {
    read: (path) => storage.read(path),
    write: async (path, expected) => {
      const whole = path.replace(/\.p\/\d+$/, '')
      const own = await storage.read(path)
      const found = own ?? (await storage.read(whole))?.subarray(0, expected.length)
      const name = own === undefined ? whole : path
      if (found === undefined) throw new Difference({ path, why: 'is missing' })
      const byte = expected.findIndex((value, at) => value !== found[at])
      if (byte !== -1) throw new Difference({ path: name, byte, why: whyOf(path, byte) })
      if (found.length !== expected.length) {
        throw new Difference({ path: name, byte: expected.length, why: 'goes on behind its end' })
      }
    },
  }
}

function whyOf(path: string, byte: number): string {
  const nth = Math.floor(byte / HASH_BYTES) + 1
  return path.startsWith('tile/0/')
    ? `hash ${nth} is not that of entry ${nth} in ${path.replace('tile/0/', 'tile/entries/')}`
    : `hash ${nth} is not the root of the tile below it`
}
