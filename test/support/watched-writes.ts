/** Every change that this thread makes to the files of a folder, with somebody in between. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const WRITES = [
  'mkdirSync',
  'openSync',
  'fchmodSync',
  'writeFileSync',
  'fsyncSync',
  'linkSync',
  'renameSync',
  'rmSync',
] as const

/** A change that is about to be made. */
export interface Write {
  readonly name: string
  /** Makes it, as it was asked for. */
  make(): unknown
  /** Makes half of it, where it can be halved. */
  makeHalf(): void
}

type Call = (...asked: unknown[]) => unknown

/** `through` makes each change, or not. Returns how to look away again. */
export function watchWrites(folder: string, through: (write: Write) => unknown): () => void {
  const real = new Map<string, Call>(WRITES.map((name) => [name, fs[name] as Call]))
  const opened = new Set<unknown>()
  const isOurs = (target: unknown): boolean =>
    typeof target === 'number' ? opened.has(target) : String(target).startsWith(folder)
  for (const [name, call] of real) {
    const watched = (...asked: unknown[]): unknown => {
      const [target, second] = asked
      if (!isOurs(target)) {
        const other = call(...asked)
        // A number that was ours is another file's by now.
        if (name === 'openSync') opened.delete(other)
        return other
      }
      const isRead = name === 'openSync' && second !== 'wx' && (Number(second) & fs.constants.O_CREAT) === 0
      const make = (): unknown => call(...asked)
      const made = isRead
        ? make()
        : through({
            name,
            make,
            makeHalf: () => {
              const text = String(second)
              if (name === 'writeFileSync') call(target, text.slice(0, text.length / 2))
            },
          })
      if (name === 'openSync') opened.add(made)
      return made
    }
    Object.assign(fs, { [name]: watched })
  }
  syncBuiltinESMExports()
  return () => {
    Object.assign(fs, Object.fromEntries(real))
    syncBuiltinESMExports()
  }
}
