import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { appendEntries } from '../../src/log/append.ts'
import { MOST_ENTRY_BYTES, readBundle, writeBundle } from '../../src/log/bundle.ts'
import { readCheckpoint } from '../../src/log/checkpoint.ts'
import { GrowingTree } from '../../src/log/growing-tree.ts'
import { emptyRoot, leafHash } from '../../src/log/merkle.ts'
import { readNote } from '../../src/log/note.ts'
import { openNote } from '../../src/log/open-note.ts'
import type { TileStorage } from '../../src/log/ports.ts'
import { bundlePath, edgeOf, tileOf, tilePath } from '../../src/log/tile-layout.ts'
import {
  consistencyIn,
  inclusionIn,
  nodesOf,
  readEntries,
  readTile,
  rootIn,
  type TreeHead,
} from '../../src/log/tiles.ts'
import { readVerifierKey } from '../../src/log/verifier-key.ts'
import { ascii, flipped, logCrypto, memoryTiles } from '../support/log-keys.ts'
import { NaiveTree } from '../support/naive-tree.ts'
import { vectorFiles } from './vectors.ts'

const sha256 = sha256Bytes
const nothing: TreeHead = { size: 0, root: emptyRoot(sha256) }
const badFormat = (at?: string) =>
  expect.objectContaining(at === undefined ? { code: 'ERR_FORMAT' } : { code: 'ERR_FORMAT', at })

/** The key of the log that transparency-dev/tessera keeps as test data (its testdata/build_log.sh). */
const TESSERA = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx'
const tessera = vectorFiles('tessera', 'testdata', 'log')

describe.skipIf(tessera.size === 0)('the public log of Tessera', () => {
  const storage = { read: async (path: string) => tessera.get(path) }
  const log = { storage, sha256 }
  const heads = Array.from({ length: 16 }, (_, size) => headOf(tessera.get(`checkpoint.${size}`)))

  function headOf(file: Buffer | undefined): TreeHead {
    return readCheckpoint(sha256, readNote(file ?? '').text)
  }

  it('signed each of its checkpoints', async () => {
    const key = readVerifierKey(sha256, TESSERA)
    const files = [...tessera].filter(([name]) => name.startsWith('checkpoint'))
    expect(files).toHaveLength(17)
    for (const [, file] of files) {
      expect(await openNote(readNote(file), [key], logCrypto.verifyEd25519)).toEqual({
        kind: 'verified',
        by: [{ key }],
      })
    }
    expect(heads.map(({ size }) => size)).toEqual(Array.from({ length: 16 }, (_, size) => size))
  })

  it('has the roots that its entries and its tiles have', async () => {
    const growing = new GrowingTree(sha256)
    const entries = await readEntries(storage, { index: 0, width: 15 })
    for (const [size, head] of heads.entries()) {
      if (size > 0) growing.append(leafHash(sha256, entries[size - 1] ?? new Uint8Array(0)))
      expect(Buffer.from(head.root)).toEqual(Buffer.from(growing.root()))
      expect(Buffer.from(head.root)).toEqual(Buffer.from(await rootIn(log, size)))
    }
  })

  it('proves each entry at each size, and that it only ever grew', async () => {
    for (const [size, head] of heads.entries()) {
      for (let index = 0; index < size; index += 1) expect((await inclusionIn(log, head, index)).leaf).toHaveLength(32)
      for (const earlier of heads.slice(1, size + 1)) await consistencyIn(log, earlier, head)
    }
  })

  it('is what we write of the same entries, file for file and byte for byte', async () => {
    const entries = await readEntries(storage, { index: 0, width: 15 })
    const written = memoryTiles()
    let head = nothing
    for (const entry of entries) head = await appendEntries({ storage: written, sha256 }, head, [entry])
    const theirs = [...tessera].filter(([name]) => name.startsWith('tile'))
    expect([...written.files.keys()].sort()).toEqual(theirs.map(([name]) => name).sort())
    for (const [name, file] of theirs) expect(file.equals(written.files.get(name) ?? Buffer.alloc(0)), name).toBe(true)
  })
})

describe('the layout of tiles', () => {
  it('has the names of C2SP tlog-tiles', () => {
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067')
    expect(tilePath({ level: 2, index: 0, width: 17 })).toBe('tile/2/000.p/17')
    expect(bundlePath({ index: 273, width: 112 })).toBe('tile/entries/273.p/112')
    expect(bundlePath({ index: 999, width: 256 })).toBe('tile/entries/999')
    expect(bundlePath({ index: 1_000, width: 256 })).toBe('tile/entries/x001/000')
    expect(bundlePath({ index: 2 ** 45 - 1, width: 255 })).toBe('tile/entries/x035/x184/x372/x088/831.p/255')
  })

  it('has the right edges of C2SP tlog-tiles', () => {
    expect(edgeOf(70_000)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ])
    expect(edgeOf(256)).toEqual([{ level: 1, index: 0, width: 1 }])
    expect(edgeOf(0)).toEqual([])
    expect(edgeOf(Number.MAX_SAFE_INTEGER).map(({ width }) => width)).toEqual([255, 255, 255, 255, 255, 255, 31])
  })

  it('finds each node in one tile, also beyond 32 bits, and none beyond the tree', () => {
    const size = 2 ** 40 + 3
    expect(tileOf({ level: 0, index: 2 ** 40 + 2 }, size)).toEqual({
      tile: { level: 0, index: 2 ** 32, width: 3 },
      from: 2,
      to: 3,
    })
    expect(tileOf({ level: 40, index: 0 }, size)).toEqual({ tile: { level: 5, index: 0, width: 1 }, from: 0, to: 1 })
    expect(tileOf({ level: 39, index: 1 }, size)).toEqual({
      tile: { level: 4, index: 0, width: 256 },
      from: 128,
      to: 256,
    })
    expect(tileOf({ level: 0, index: size }, size)).toBeUndefined()
    expect(tileOf({ level: 1, index: 2 ** 39 + 1 }, size)).toBeUndefined()
  })
})

describe('an entry bundle', () => {
  it('reads back entry by entry, the empty one and the largest too', () => {
    const entries = [ascii('one'), new Uint8Array(0), new Uint8Array(MOST_ENTRY_BYTES).fill(7)]
    const bundle = writeBundle(entries)
    expect(readBundle(bundle, 3, 'b').map((entry) => Buffer.from(entry))).toEqual(
      entries.map((one) => Buffer.from(one)),
    )
    // Out of a larger buffer, as files come from Node's pool.
    const pooled = Buffer.concat([Buffer.of(9, 9, 9), bundle]).subarray(3)
    expect(readBundle(pooled, 3, 'b').map(({ length }) => length)).toEqual([3, 0, 65_535])
  })

  it('with an entry more, an entry less, or an end too early is refused by name', () => {
    const bundle = writeBundle([ascii('one'), ascii('two')])
    for (const [bytes, width] of [
      [bundle, 1],
      [bundle, 3],
      [bundle.slice(0, -1), 2],
      [bundle.slice(0, -4), 2],
      [flipped(bundle, 0), 2],
      [flipped(bundle, 8), 2],
      [new Uint8Array(0), 1],
    ] as const) {
      expect(() => readBundle(bytes, width, 'tile/entries/000.p/2')).toThrow(badFormat('tile/entries/000.p/2'))
    }
  })
})

const entryOf = (index: number): Uint8Array<ArrayBuffer> => ascii(`entry ${index}`)
const some = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => entryOf(from + index))

/** A log that was written in batches, with the head after each. */
async function logOf(batches: readonly number[]) {
  const storage = memoryTiles()
  const heads = [nothing]
  for (const batch of batches) {
    const head = heads.at(-1) ?? nothing
    heads.push(await appendEntries({ storage, sha256 }, head, some(head.size, head.size + batch)))
  }
  return { log: { storage, sha256 }, storage, heads, head: heads.at(-1) ?? nothing }
}

describe('a log of tiles', () => {
  it('has the same tree however its entries came, and proves all of it', async () => {
    const batch = fc.oneof(fc.nat(5), fc.constantFrom(0, 1, 255, 256, 257, 600))
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 5 }), fc.nat(), async (batches, any) => {
        const { log, heads, head } = await logOf(batches)
        const naive = new GrowingTree(sha256)
        const roots = [naive.root()]
        for (const entry of some(0, head.size)) {
          naive.append(leafHash(sha256, entry))
          roots.push(naive.root())
        }
        for (const { size, root } of heads) expect(Buffer.from(root)).toEqual(Buffer.from(roots[size] ?? root))
        if (head.size === 0) return
        const index = any % head.size
        const { leaf } = await inclusionIn(log, head, index)
        expect(Buffer.from(leaf)).toEqual(Buffer.from(leafHash(sha256, entryOf(index))))
        for (const earlier of heads.filter(({ size }) => size > 0)) await consistencyIn(log, earlier, head)
      }),
      { numRuns: 25 },
    )
  })

  it('has a tile of the second level when it needs one', async () => {
    const { log, head, storage } = await logOf([65_535, 2])
    expect([...storage.files.keys()].filter((path) => /^tile\/[12]\//.test(path))).toEqual([
      'tile/1/000.p/255',
      'tile/1/000',
      'tile/2/000.p/1',
    ])
    const naive = new NaiveTree(head.size, new Map(some(0, 300).map((one, index) => [BigInt(index), one])))
    expect(Buffer.from(await nodesOf(log, head.size)({ level: 8, index: 0 }))).toEqual(naive.root(0n, 256n))
    expect((await inclusionIn(log, head, 65_536)).proof).toHaveLength(1)
    expect((await inclusionIn(log, head, 40_000)).proof).toHaveLength(17)
  })

  it('writes nothing when nothing came', async () => {
    const { storage, head } = await logOf([3])
    const before = [...storage.files.keys()]
    expect(await appendEntries({ storage, sha256 }, head, [])).toEqual(head)
    expect([...storage.files.keys()]).toEqual(before)
  })

  it('goes on after its partial tiles were tidied away, since the full ones begin with the same', async () => {
    const { log, storage, heads, head } = await logOf([100, 200])
    for (const path of ['tile/0/000.p/100', 'tile/entries/000.p/100']) expect(storage.files.delete(path)).toBe(true)
    const early = heads[1] ?? nothing
    expect((await inclusionIn(log, early, 99)).leaf).toHaveLength(32)
    expect(await readEntries(storage, { index: 0, width: 100 })).toHaveLength(100)
    await consistencyIn(log, early, head)
  })

  it('is not built upon when a file of its edge is torn, missing, or of another tree', async () => {
    for (const [path, change] of [
      ['tile/0/001.p/44', (bytes: Uint8Array) => flipped(bytes, 100)],
      ['tile/0/001.p/44', (bytes: Uint8Array) => bytes.slice(1)],
      ['tile/0/001.p/44', () => undefined],
      ['tile/1/000.p/1', (bytes: Uint8Array) => flipped(bytes, 0)],
      ['tile/entries/001.p/44', (bytes: Uint8Array) => flipped(bytes, 40)],
      ['tile/entries/001.p/44', (bytes: Uint8Array) => bytes.slice(0, -1)],
      ['tile/entries/001.p/44', () => undefined],
    ] as const) {
      const { storage, head } = await logOf([300])
      const changed = change(storage.files.get(path) ?? new Uint8Array(0))
      if (changed === undefined) storage.files.delete(path)
      else storage.files.set(path, changed)
      const before = new Map(storage.files)
      await expect(appendEntries({ storage, sha256 }, head, some(300, 301)), path).rejects.toThrow(badFormat())
      expect(storage.files).toEqual(before)
    }
  })

  it('is not built upon under another root, so a restored backup cannot go on from a later checkpoint', async () => {
    const [early, late] = [await logOf([300]), await logOf([300, 20])]
    const goOn = (head: TreeHead) => appendEntries({ storage: early.storage, sha256 }, head, some(320, 321))
    await expect(goOn(late.head)).rejects.toThrow(badFormat())
    await expect(goOn({ size: 300, root: late.head.root })).rejects.toThrow(badFormat())
    await expect(goOn({ size: 0, root: late.head.root })).rejects.toThrow(badFormat())
  })

  it('makes no proof out of a changed tile', async () => {
    const { log, storage, heads, head } = await logOf([200, 100])
    const path = 'tile/0/000'
    storage.files.set(path, flipped(storage.files.get(path) ?? new Uint8Array(0), 8 * 32 * 17))
    await expect(inclusionIn(log, head, 17)).rejects.toThrow(badFormat())
    await expect(consistencyIn(log, heads[1] ?? nothing, head)).rejects.toThrow(badFormat())
  })

  it('names the file that is missing or has another length', async () => {
    const { storage, log, head } = await logOf([300])
    const torn = 'tile/0/001.p/44'
    storage.files.set(torn, (storage.files.get(torn) ?? new Uint8Array(0)).slice(0, -1))
    await expect(readTile(storage, { level: 0, index: 1, width: 44 })).rejects.toThrow(badFormat(torn))
    await expect(readTile(storage, { level: 3, index: 0, width: 1 })).rejects.toThrow(badFormat('tile/3/000.p/1'))
    await expect(inclusionIn(log, head, 299)).rejects.toThrow(badFormat(torn))
    await expect(inclusionIn(log, head, 300)).rejects.toThrow(RangeError)
  })

  it('takes no entry that two bytes of length cannot say, and writes nothing of its batch', async () => {
    const storage = memoryTiles()
    const batch = [entryOf(0), new Uint8Array(MOST_ENTRY_BYTES + 1)]
    await expect(appendEntries({ storage, sha256 }, nothing, batch)).rejects.toThrow(badFormat())
    expect(storage.files.size).toBe(0)
    expect(() => writeBundle(batch)).toThrow(badFormat())
  })

  it('writes entries before the hashes that speak of them, and stops where a write fails', async () => {
    const order: string[] = []
    const files = memoryTiles()
    const failing: TileStorage = {
      read: files.read,
      write: async (path, bytes) => {
        order.push(path)
        if (path === 'tile/1/000.p/1') throw new Error('no space left on device')
        await files.write(path, bytes)
      },
    }
    await expect(appendEntries({ storage: failing, sha256 }, nothing, some(0, 300))).rejects.toThrow('no space')
    expect(order.slice(0, 2)).toEqual(['tile/entries/000', 'tile/0/000'])
    // Nothing was acknowledged: the same log goes on from the head that it had, with other entries.
    const again = await appendEntries({ storage: files, sha256 }, nothing, some(7, 290))
    const growing = new GrowingTree(sha256)
    for (const entry of some(7, 290)) growing.append(leafHash(sha256, entry))
    expect(Buffer.from(again.root)).toEqual(Buffer.from(growing.root()))
    await inclusionIn({ storage: files, sha256 }, again, 282)
  })
})
