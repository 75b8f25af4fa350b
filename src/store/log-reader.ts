import { encodeBase64url } from '../bytes/base64url.ts'
import { sha256Bytes } from '../bytes/digest.ts'
import { type Checkpoint, readCheckpoint } from '../log/checkpoint.ts'
import { readNote } from '../log/note.ts'
import type { Hash, TileStorage } from '../log/ports.ts'
import { proveInclusion, rootOf } from '../log/prove.ts'
import { CHECKPOINT_PATH } from '../log/sequencer.ts'
import { TILE_WIDTH } from '../log/tile-layout.ts'
import { consistencyIn, nodesOf, readEntries, readTile, type TileLog } from '../log/tiles.ts'
import { logFiles } from './log-files.ts'
import { logFolder } from './log-lease.ts'

/** A log's files, as they are now: without the lease, and without the index that only its holder can open. */
export interface LogReader {
  /** `checkpoint`, read and not verified; `undefined` where there is none. @throws HoldpointError ERR_FORMAT */
  head(): Promise<(Pick<Checkpoint, 'origin' | 'size' | 'root'> & { readonly note: string }) | undefined>
  /** The entries of the first `size` leaves, in order. @throws HoldpointError ERR_FORMAT naming a file that is not whole */
  entries(size: number): AsyncIterable<Uint8Array>
  /** Which leaves of the first `size` these receipts have: one pass over all hashes, in memory that grows with the question. */
  leavesOf(hashes: ReadonlySet<string>, size: number): Promise<ReadonlyMap<string, number>>
  proveInclusion(leaf: number, size: number): Promise<readonly Hash[]>
  /** Made from the tiles, and checked against the roots that they have. */
  proveConsistency(from: number, to: number): Promise<readonly Hash[]>
}

/** Reads the log of a store while anybody may take it forward. */
export function openLogReader(storeFolder: string): LogReader {
  return logReader(logFiles(logFolder(storeFolder)))
}

/** Reads a log's files, wherever they are. */
export function logReader(storage: Pick<TileStorage, 'read'>): LogReader {
  const log: TileLog = { storage, sha256: sha256Bytes }
  return {
    head: async () => {
      const file = await storage.read(CHECKPOINT_PATH)
      if (file === undefined) return undefined
      const { origin, size, root } = readCheckpoint(sha256Bytes, readNote(file).text)
      return { origin, size, root, note: new TextDecoder().decode(file) }
    },
    entries: async function* (size) {
      for (const at of tilesOf(size)) yield* await readEntries(storage, at)
    },
    leavesOf: async (hashes, size) => {
      const found = new Map<string, number>()
      for (const at of tilesOf(size)) {
        for (const [index, hash] of (await readTile(storage, { ...at, level: 0 })).entries()) {
          const text = encodeBase64url(hash)
          if (hashes.has(text)) found.set(text, at.index * TILE_WIDTH + index)
        }
        if (found.size === hashes.size) break
      }
      return found
    },
    proveInclusion: (leaf, size) => proveInclusion(sha256Bytes, nodesOf(log, size), { index: leaf, size }),
    proveConsistency: async (from, to) => {
      const readNode = nodesOf(log, to)
      const rootAt = (size: number): Promise<Hash> => rootOf(sha256Bytes, readNode, size)
      return consistencyIn(log, { size: from, root: await rootAt(from) }, { size: to, root: await rootAt(to) })
    },
  }
}

function* tilesOf(size: number): Generator<{ readonly index: number; readonly width: number }> {
  for (let index = 0; index * TILE_WIDTH < size; index += 1) {
    yield { index, width: Math.min(TILE_WIDTH, size - index * TILE_WIDTH) }
  }
}
