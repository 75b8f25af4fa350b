import { sha256Bytes } from '../bytes/digest.ts'
import { HoldpointError } from '../errors.ts'
import { type Checkpoint, readCheckpoint } from '../log/checkpoint.ts'
import { readNote } from '../log/note.ts'
import type { TileStorage } from '../log/ports.ts'
import { CHECKPOINT_PATH } from '../log/sequencer.ts'
import { bundlePath, hashesAt, TILE_WIDTH, tilePath } from '../log/tile-layout.ts'

/** What was copied. */
export interface Copied {
  readonly origin: string
  /** Leaves under the checkpoint that was copied. */
  readonly size: number
  /** Files that were written; those that were there are not written again. */
  readonly files: number
}

/**
 * Copies a log's static files, so that any host can serve them: tiles first, and the checkpoint when everything under it is there.
 *
 * @returns `undefined` where nothing was logged yet
 * @throws HoldpointError ERR_LOG where the copy is of another log, or of a longer one; ERR_FORMAT where a file is missing
 */
export async function copyLog(from: Pick<TileStorage, 'read'>, to: TileStorage): Promise<Copied | undefined> {
  const bytes = await from.read(CHECKPOINT_PATH)
  if (bytes === undefined) return undefined
  const { origin, size } = checkpointOf(bytes)
  const before = await to.read(CHECKPOINT_PATH)
  if (before !== undefined) refuseAnother(checkpointOf(before), { origin, size })
  let files = 0
  for (const { path, isFull } of pathsOf(size)) {
    // A full tile never changes.
    if (isFull && (await to.read(path)) !== undefined) continue
    const tile = await from.read(path)
    if (tile === undefined) throw new HoldpointError('ERR_FORMAT', `${path} is missing`, { at: path })
    await to.write(path, tile)
    files += 1
  }
  await to.write(CHECKPOINT_PATH, bytes)
  return { origin, size, files: files + 1 }
}

function refuseAnother(copy: Pick<Checkpoint, 'origin' | 'size'>, log: Pick<Checkpoint, 'origin' | 'size'>): void {
  if (copy.origin !== log.origin)
    throw new HoldpointError('ERR_LOG', `the copy is of another log, "${copy.origin}": name another folder`)
  if (copy.size > log.size)
    throw new HoldpointError(
      'ERR_LOG',
      `the copy has ${copy.size} leaves and the log ${log.size}: the log is an old copy itself. Keep both as evidence`,
    )
}

function checkpointOf(bytes: Uint8Array): Checkpoint {
  return readCheckpoint(sha256Bytes, readNote(bytes).text)
}

function* pathsOf(size: number): Generator<{ readonly path: string; readonly isFull: boolean }> {
  for (let level = 0; hashesAt(level, size) > 0; level += 1) {
    const hashes = hashesAt(level, size)
    for (let index = 0; index * TILE_WIDTH < hashes; index += 1) {
      const width = Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH)
      const isFull = width === TILE_WIDTH
      yield { path: tilePath({ level, index, width }), isFull }
      if (level === 0) yield { path: bundlePath({ index, width }), isFull }
    }
  }
}
