import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { appendEntries } from '../../src/log/append.ts'
import { readCheckpoint } from '../../src/log/checkpoint.ts'
import { findFault } from '../../src/log/fsck.ts'
import { emptyRoot } from '../../src/log/merkle.ts'
import { readNote } from '../../src/log/note.ts'
import { readEntries, type TreeHead } from '../../src/log/tiles.ts'
import { logFiles } from '../../src/store/log-files.ts'
import { vectorFiles } from '../log/vectors.ts'
import { ascii } from '../support/log-keys.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporary = temporaryFolders()
const sha256 = sha256Bytes
const nothing: TreeHead = { size: 0, root: emptyRoot(sha256) }

async function grown(folder: string, ...batches: readonly number[]): Promise<readonly TreeHead[]> {
  const storage = logFiles(folder)
  const heads: TreeHead[] = []
  let head = nothing
  for (const batch of batches) {
    const before = head.size
    const entries = Array.from({ length: batch }, (_, index) => ascii(`receipt ${before + index}`))
    head = await appendEntries({ storage, sha256 }, head, entries)
    await storage.tidy(before, head.size)
    heads.push(head)
  }
  return heads
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort()
}

describe('the files of a log', () => {
  const tessera = vectorFiles('tessera', 'testdata', 'log')
  it.skipIf(tessera.size === 0)('of Tessera are read from a folder as their authors signed them', async () => {
    const folder = temporary()
    for (const [name, bytes] of tessera) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), bytes)
    }
    const log = { storage: logFiles(folder), sha256 }
    for (let size = 0; size < 16; size += 1) {
      const head = readCheckpoint(sha256, readNote(readFileSync(join(folder, `checkpoint.${size}`))).text)
      expect(head.size).toBe(size)
      expect(await findFault(log, head)).toBeUndefined()
    }
  })

  it.skipIf(tessera.size === 0)('are the very files that Tessera writes of the same entries', async () => {
    const read = { read: async (path: string) => tessera.get(path) }
    const entries = await readEntries(read, { index: 0, width: 15 })
    const folder = temporary()
    const storage = logFiles(folder)
    let head = nothing
    for (const entry of entries) head = await appendEntries({ storage, sha256 }, head, [entry])
    const ours = filesBelow(folder)
    expect(ours).toHaveLength(30)
    for (const name of ours) expect(readFileSync(join(folder, name))).toEqual(tessera.get(name))
  })

  it('are found by a reader who has an earlier checkpoint, however many have come since', async () => {
    const folder = temporary()
    const heads = await grown(folder, 3, ...Array.from({ length: 40 }, () => 1), 300, 5, 256, 7, 40)
    expect(filesBelow(folder).length).toBeLessThan(40)
    for (const head of heads) expect(await findFault({ storage: logFiles(folder), sha256 }, head)).toBeUndefined()
  })

  it('are tidied of what a writer left that died between two checkpoints', async () => {
    const folder = temporary()
    const [head = nothing] = await grown(folder, 10)
    const storage = logFiles(folder)
    const entries = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => ascii(`receipt ${from + index}`))
    // Written, and never signed.
    await appendEntries({ storage, sha256 }, head, entries(10, 300))
    const next = await appendEntries({ storage, sha256 }, head, entries(10, 600))
    await storage.tidy(10, 600)
    expect(filesBelow(folder).filter((name) => name.includes('.p/'))).toEqual([
      'tile/0/002.p/88',
      'tile/1/000.p/1',
      'tile/1/000.p/2',
      'tile/entries/002.p/88',
    ])
    expect(await findFault({ storage, sha256 }, next)).toBeUndefined()
  })

  it('are never written through a link that somebody put in their place', async () => {
    const folder = temporary()
    const outside = join(temporary(), 'outside')
    writeFileSync(outside, 'theirs')
    mkdirSync(join(folder, 'tile', '0', '000.p'), { recursive: true })
    symlinkSync(outside, join(folder, 'tile', '0', '000.p', '1.new'))
    await expect(logFiles(folder).write('tile/0/000.p/1', ascii('ours'))).rejects.toThrow(/ELOOP/)
    symlinkSync(outside, join(folder, 'checkpoint'))
    await logFiles(folder).write('checkpoint', ascii('ours'))
    expect(readFileSync(outside, 'utf8')).toBe('theirs')
    expect(readFileSync(join(folder, 'checkpoint'), 'utf8')).toBe('ours')
  })
})
