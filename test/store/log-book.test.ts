import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodeBase64url } from '../../src/bytes/base64url.ts'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { readCheckpoint } from '../../src/log/checkpoint.ts'
import { findFault } from '../../src/log/fsck.ts'
import { verifyConsistency, verifyInclusion } from '../../src/log/merkle.ts'
import { readNote } from '../../src/log/note.ts'
import { judgeCheckpoint } from '../../src/log/trusted-checkpoint.ts'
import { readVerifierKey } from '../../src/log/verifier-key.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { openLog } from '../../src/store/log-book.ts'
import { logFiles } from '../../src/store/log-files.ts'
import { logCrypto } from '../support/log-keys.ts'
import { writerOf } from '../support/stored-receipts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporary = temporaryFolders()
const sha256 = sha256Bytes
const signer = generateSigner()

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  )
}

describe('the log of a store', () => {
  it('has every receipt of every process once, under a checkpoint that a stranger can check', async () => {
    const folder = temporary()
    const [one, other] = [await writerOf(folder), await writerOf(folder)]
    const hashes = [...(await one.write(300)), ...(await other.write(40))]
    const log = await openLog(folder, { signer })
    expect(await log.step()).toMatchObject({ entered: 342, signed: true, quorum: 'none', changed: [] })
    const head = log.head()
    expect(head?.size).toBe(342)
    expect(new Set(hashes.map((hash) => log.leafOf(hash))).size).toBe(340)

    const policy = {
      logs: [{ key: readVerifierKey(sha256, log.key) }],
      witnesses: [],
      quorum: { kind: 'none' },
    } as const
    const file = readFileSync(join(folder, 'log', 'checkpoint'))
    const verdict = await judgeCheckpoint(logCrypto, policy, file)
    expect(verdict).toMatchObject({ kind: 'trusted', checkpoint: { origin: log.origin, size: 342 } })
    const { root } = readCheckpoint(sha256, readNote(file).text)
    for (const hash of hashes.filter((_, index) => index % 50 === 0)) {
      const index = log.leafOf(hash) ?? -1
      const proof = await log.proveInclusion(index, 342)
      expect(verifyInclusion(sha256, { index, leaf: decodeBase64url(hash), size: 342, root, proof })).toBe(true)
    }
    await Promise.all([log.close(), one.close(), other.close()])
  })

  it('goes on where it was, in every process that opens it, and proves that it does', async () => {
    const folder = temporary()
    const writer = await writerOf(folder)
    for (const count of [10, 250, 500]) {
      await writer.write(count)
      const log = await openLog(folder, { signer })
      await log.step()
      expect(await log.step()).toMatchObject({ entered: 0, signed: false })
      await log.close()
    }
    const log = await openLog(folder, { signer })
    const heads = log.checkpoints()
    expect(heads.map(({ size }) => size)).toEqual([11, 261, 761])
    for (const from of heads) {
      for (const to of heads.filter(({ size }) => size >= from.size)) {
        const proof = await log.proveConsistency(from.size, to.size)
        expect(verifyConsistency(sha256, { from, to, proof })).toBe(true)
      }
      const proof = await log.proveInclusion(5, from.size)
      const index = 5
      const { leaf } = { leaf: await leafAt(folder, index) }
      expect(verifyInclusion(sha256, { index, leaf, size: from.size, root: from.root, proof })).toBe(true)
    }
    const storage = logFiles(join(folder, 'log'))
    for (const head of heads) expect(await findFault({ storage, sha256 }, head)).toBeUndefined()
    await expect(log.proveInclusion(0, 762)).rejects.toThrow(RangeError)
    await Promise.all([log.close(), writer.close()])
  })

  it('keeps its files from other users, and no tile that a wider one has replaced', async () => {
    const folder = temporary()
    const writer = await writerOf(folder)
    const log = await openLog(folder, { signer })
    for (let step = 0; step < 30; step += 1) {
      await writer.write(20)
      await log.step()
    }
    const files = filesBelow(join(folder, 'log'))
    for (const name of files) expect(statSync(join(folder, 'log', name)).mode & 0o077).toBe(0)
    expect(files.filter((name) => /tile\/(entries|0)\/00[01]\.p\//.test(name))).toEqual([])
    expect(files.filter((name) => name.startsWith('tile/0/002.p/')).length).toBeLessThanOrEqual(8)
    expect(files).toContain('tile/0/002.p/89')
    await Promise.all([log.close(), writer.close()])
  })
})

async function leafAt(folder: string, index: number): Promise<Uint8Array> {
  const tile = await logFiles(join(folder, 'log')).read('tile/0/000')
  return tile?.subarray(index * 32, index * 32 + 32) ?? new Uint8Array(0)
}
