import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { leafHash } from '../../src/log/merkle.ts'
import { writeNote } from '../../src/log/note.ts'
import { judgeLogProof, type LogProof, readLogProof, writeLogProof } from '../../src/log/proof.ts'
import { ascii, checkpointText, flipped, logCrypto, noteSigner } from '../support/log-keys.ts'
import { NaiveTree } from '../support/naive-tree.ts'
import { examplesOf, vectorFiles } from './vectors.ts'

const badFormat = expect.objectContaining({ code: 'ERR_FORMAT' })
const log = noteSigner('example.com/log', 'ed25519')
const witness = noteSigner('witness.example', 'cosignature')
const policy = {
  logs: [{ key: log.key }],
  witnesses: [{ key: witness.key }],
  quorum: { kind: 'witness', key: witness.key },
} as const

const entries = Array.from({ length: 11 }, (_, index) => ascii(`receipt ${index}`))
const tree = new NaiveTree(11, new Map(entries.map((entry, index) => [BigInt(index), entry])))
const checkpoint = signedBy(log, witness)
const proof: LogProof = { index: 6, hashes: tree.path(6n), checkpoint, extra: ascii('for whom it concerns') }
const text = writeLogProof(proof)

function signedBy(...by: readonly (typeof log)[]): string {
  const body = checkpointText('example.com/log', { size: 11, root: tree.root() })
  return writeNote({ text: body, signatures: by.map((one) => one.sign(body)) })
}

/** The sixth receipt's leaf, worked out from the receipt. */
const leaf = leafHash(sha256Bytes, ascii('receipt 6'))
const judge = (change: Partial<LogProof> = {}, of = leaf) =>
  judgeLogProof(logCrypto, policy, { leaf: of, proof: readLogProof(writeLogProof({ ...proof, ...change })) })

describe('a log proof', () => {
  const [example] = examplesOf(vectorFiles('c2sp'), 'tlog-proof.md')
  it.skipIf(example === undefined)('is read as C2SP tlog-proof writes its example', () => {
    const read = readLogProof(example ?? '')
    expect([read.index, read.hashes.length]).toEqual([73_894, 5])
    expect(read.checkpoint).toMatch(/^example\.com\/fancylog\n109482\n/)
    expect(writeLogProof(read)).toBe(example)
  })

  it('shows offline that an entry is in a witnessed log', async () => {
    expect(await judge()).toMatchObject({ kind: 'trusted', checkpoint: { size: 11 } })
    expect(readLogProof(Buffer.from(text))).toMatchObject({ index: 6, extra: proof.extra })
  })

  it('shows nothing of another entry, another place or another path', async () => {
    const missing = { kind: 'not-included', index: 6, size: 11 }
    expect(await judge({}, leafHash(sha256Bytes, ascii('receipt 7')))).toEqual(missing)
    expect(await judge({ index: 7 })).toEqual({ ...missing, index: 7 })
    expect(await judge({ index: 11 })).toEqual({ ...missing, index: 11 })
    expect(await judge({ hashes: proof.hashes.slice(1) })).toEqual(missing)
    expect(await judge({ hashes: proof.hashes.map((hash) => flipped(hash, 9)) })).toEqual(missing)
  })

  it('shows nothing where its checkpoint is not to be believed', async () => {
    expect((await judge({ checkpoint: signedBy(log) })).kind).toBe('unwitnessed')
    expect((await judge({ checkpoint: signedBy(witness) })).kind).toBe('unsigned')
    await expect(judge({ checkpoint: 'not a checkpoint' })).rejects.toThrow(badFormat)
  })

  it('of the only entry of a log has no hashes', async () => {
    const body = checkpointText('example.com/log', { size: 1, root: leaf })
    const single = writeNote({ text: body, signatures: [log.sign(body), witness.sign(body)] })
    expect((await judge({ index: 0, hashes: [], checkpoint: single })).kind).toBe('trusted')
  })

  it.each([
    ['of another version', text.replace('@v1', '@v2')],
    ['without its first line', text.slice(text.indexOf('\n') + 1)],
    ['without an index', text.replace(/^index.*\n/m, '')],
    ['with a leading zero', text.replace('index 6', 'index 06')],
    ['with an index beyond 2^53 - 1', text.replace('index 6', 'index 9007199254740993')],
    ['with the extra data behind the index', text.replace(/^(extra.*\n)(index.*\n)/m, '$2$1')],
    ['with empty extra data', text.replace(/^extra.*$/m, 'extra ')],
    ['with extra data that is not base64', text.replace(/^extra.*$/m, 'extra !!!!')],
    ['with a hash that is too short', text.replace(/^index 6\n.{4}/m, 'index 6\n')],
    ['with carriage returns', text.replaceAll('\n', '\r\n')],
    ['without its checkpoint', text.slice(0, text.indexOf('\n\n'))],
    ['with more hashes than a tree is high', text.replace(/^(index.*\n)(.*\n)/m, `$1${'$2'.repeat(64)}`)],
  ])('%s is refused', (_, changed) => {
    expect(changed).not.toBe(text)
    expect(() => readLogProof(changed)).toThrow(badFormat)
  })

  it('is refused, or written back to the same bytes, whatever became of it', () => {
    const bytes = Buffer.from(text)
    const change = fc.tuple(fc.nat(bytes.length), fc.nat(3), fc.uint8Array({ maxLength: 3 }))
    fc.assert(
      fc.property(change, ([at, drop, put]) => {
        const other = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + drop)])
        let read: LogProof | undefined
        try {
          read = readLogProof(other)
        } catch (error) {
          expect(error).toEqual(badFormat)
        }
        if (read !== undefined) expect(Buffer.from(writeLogProof(read)).equals(other)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
