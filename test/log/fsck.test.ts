import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { appendEntries } from '../../src/log/append.ts'
import { readCheckpoint } from '../../src/log/checkpoint.ts'
import { findFault } from '../../src/log/fsck.ts'
import { emptyRoot } from '../../src/log/merkle.ts'
import { readNote } from '../../src/log/note.ts'
import type { TreeHead } from '../../src/log/tiles.ts'
import { ascii, flipped, memoryTiles } from '../support/log-keys.ts'
import { vectorFiles } from './vectors.ts'

const sha256 = sha256Bytes
const nothing: TreeHead = { size: 0, root: emptyRoot(sha256) }

async function logOf(...batches: readonly number[]) {
  const storage = memoryTiles()
  let head = nothing
  for (const batch of batches) {
    const entries = Array.from({ length: batch }, (_, index) => ascii(`receipt ${head.size + index}`))
    head = await appendEntries({ storage, sha256 }, head, entries)
  }
  return { log: { storage, sha256 }, files: storage.files, head }
}

describe('looking for faults in a log', () => {
  it('finds none in a log that is whole, or whose partial tiles were tidied away', async () => {
    for (const batches of [[], [1], [256], [100, 200], [511, 2]]) {
      const { log, files, head } = await logOf(...batches)
      expect(await findFault(log, head)).toBeUndefined()
      for (const path of [...files.keys()].filter((one) => files.has(one.replace(/\.p\/\d+$/, '')))) {
        if (path.includes('.p/')) files.delete(path)
      }
      expect(await findFault(log, head)).toBeUndefined()
    }
  })

  const tessera = vectorFiles('tessera', 'testdata', 'log')
  it.skipIf(tessera.size === 0)('finds none in the public log of Tessera, at any of its checkpoints', async () => {
    const log = { storage: { read: async (path: string) => tessera.get(path) }, sha256 }
    for (let size = 0; size < 16; size += 1) {
      const head = readCheckpoint(sha256, readNote(tessera.get(`checkpoint.${size}`) ?? '').text)
      expect(await findFault(log, head)).toBeUndefined()
    }
  })

  it('names the file and the first wrong byte of a changed tile', async () => {
    for (const [path, byte, why] of [
      ['tile/0/001', 32 * 17 + 3, 'hash 18 is not that of entry 18 in tile/entries/001'],
      ['tile/0/002.p/88', 0, 'hash 1 is not that of entry 1 in tile/entries/002.p/88'],
      ['tile/1/000.p/2', 63, 'hash 2 is not the root of the tile below it'],
    ] as const) {
      const { log, files, head } = await logOf(600)
      files.set(path, flipped(files.get(path) ?? new Uint8Array(0), byte * 8))
      expect(await findFault(log, head)).toEqual({ path, byte, why })
    }
  })

  it('names the entry that was changed by its hash', async () => {
    const { log, files, head } = await logOf(600)
    const path = 'tile/entries/001'
    // Two bytes of length and the first letter of the entry.
    files.set(path, flipped(files.get(path) ?? new Uint8Array(0), 8 * 2))
    const why = 'hash 1 is not that of entry 1 in tile/entries/001'
    expect(await findFault(log, head)).toEqual({ path: 'tile/0/001', byte: 0, why })
  })

  it('names a file that was cut, that goes on, or that is gone', async () => {
    for (const path of ['tile/entries/000', 'tile/0/001', 'tile/1/000.p/2', 'tile/entries/002.p/88']) {
      const { log, files, head } = await logOf(600)
      const whole = files.get(path) ?? new Uint8Array(0)
      files.set(path, whole.slice(0, -1))
      expect(await findFault(log, head)).toMatchObject({ path })
      files.set(path, Buffer.concat([whole, Buffer.of(0)]))
      expect(await findFault(log, head)).toMatchObject({ path })
      files.delete(path)
      expect(await findFault(log, head)).toMatchObject({ path, why: expect.stringMatching(/missing/) })
    }
  })

  it('names the checkpoint when files were exchanged for those of another log', async () => {
    const { log } = await logOf(300)
    const { head } = await logOf(299, 1)
    expect(await findFault(log, head)).toBeUndefined()
    expect(await findFault(log, { ...head, root: sha256('another') })).toMatchObject({ path: 'checkpoint' })
  })

  it('misses no bit of any file that the tree needs', async () => {
    const { log, files, head } = await logOf(520)
    const paths = [...files.keys()]
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.nat(), async (path, bit) => {
        const whole = files.get(path) ?? new Uint8Array(0)
        files.set(path, flipped(whole, bit % (whole.length * 8)))
        const fault = await findFault(log, head)
        files.set(path, whole)
        expect(fault).toBeDefined()
      }),
      { numRuns: 60 },
    )
  })

  it('lets an error of the disk be one, and calls it no fault of the log', async () => {
    const { head } = await logOf(3)
    const read = async () => {
      throw new Error('EIO')
    }
    await expect(findFault({ storage: { read }, sha256 }, head)).rejects.toThrow('EIO')
  })
})
