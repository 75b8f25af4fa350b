import { constants } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { TileStorage } from '../log/ports.ts'
import { beginningOf, PARTIAL, PARTIAL_TILES_KEPT, partialsBetween } from './log-partials.ts'

/** The part of the file system that a log's files are kept with. */
export type Disk = Pick<typeof import('node:fs/promises'), 'mkdir' | 'open' | 'readdir' | 'readFile' | 'rename' | 'rm'>

/** A log's static files in a folder, by path below it. */
export interface LogFiles extends TileStorage {
  /**
   * Takes away partial tiles that nobody needs after the tree has grown: those that a full one has replaced, and all but the
   * widest few of those at its edge. What cannot be taken away stays and harms nobody.
   */
  tidy(from: number, to: number): Promise<void>
  /** The widths of the partial tiles that there are of a full one, by its path. */
  widths(whole: string): Promise<readonly number[]>
}

const nodeDisk: Disk = { mkdir, open, readdir, readFile, rename, rm }
/** A link is not followed. */
const WRITE_NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW

/**
 * Files of a log: for this user alone, each replaced as a whole and durable when `write` resolves. One writer at a time.
 *
 * @param folder made when something is first written
 */
export function logFiles(folder: string, disk: Disk = nodeDisk): LogFiles {
  const made = new Set<string>()

  async function syncFolder(path: string): Promise<void> {
    const handle = await disk.open(path, constants.O_RDONLY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  /** A folder is there after a crash only when the one that holds it was synced too. */
  async function makeFolder(path: string): Promise<void> {
    if (made.has(path)) return
    const first = await disk.mkdir(path, { recursive: true, mode: 0o700 })
    for (let at = path; first !== undefined && at.startsWith(first); at = dirname(at)) await syncFolder(dirname(at))
    made.add(path)
  }

  async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
    const handle = await disk.open(path, WRITE_NEW, 0o600)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  async function readIfThere(path: string): Promise<Uint8Array | undefined> {
    try {
      return await disk.readFile(path)
    } catch (cause) {
      if (isMissing(cause)) return undefined
      throw cause
    }
  }

  async function widthsIn(path: string): Promise<readonly number[]> {
    try {
      return (await disk.readdir(path)).filter((name) => /^\d+$/.test(name)).map(Number)
    } catch (cause) {
      if (isMissing(cause)) return []
      throw cause
    }
  }

  async function read(path: string): Promise<Uint8Array | undefined> {
    const bytes = await readIfThere(join(folder, path))
    const [, whole, width] = PARTIAL.exec(path) ?? []
    if (bytes !== undefined || whole === undefined) return bytes
    // A partial tile that was tidied away is the beginning of every wider one.
    const wider = (await widthsIn(join(folder, `${whole}.p`))).filter((one) => one > Number(width))
    const found = wider.length === 0 ? undefined : await readIfThere(join(folder, `${whole}.p/${Math.min(...wider)}`))
    return found === undefined ? undefined : beginningOf(found, Number(width), path.startsWith('tile/entries/'))
  }

  return {
    read,
    widths: (whole) => widthsIn(join(folder, `${whole}.p`)),
    write: async (path, bytes) => {
      const target = join(folder, path)
      await makeFolder(dirname(target))
      // INVARIANT I6: the name is given to a file that is whole and synced, so that no crash leaves half of one.
      await writeWhole(`${target}.new`, bytes)
      await disk.rename(`${target}.new`, target)
      await syncFolder(dirname(target))
    },
    tidy: async (from, to) => {
      for (const { partial, isFull } of partialsBetween(from, to)) {
        const path = join(folder, partial)
        try {
          if (isFull) await disk.rm(path, { recursive: true, force: true })
          else
            for (const width of [...(await widthsIn(path))].sort((a, b) => b - a).slice(PARTIAL_TILES_KEPT))
              await disk.rm(join(path, String(width)), { force: true })
        } catch {
          // It stays.
        }
      }
    },
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
}
