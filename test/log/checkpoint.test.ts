import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../src/log/checkpoint.ts'
import { cosignedMessage, readTimestamped, writeTimestamped } from '../../src/log/cosignature.ts'
import { readNote } from '../../src/log/note.ts'
import { openNote } from '../../src/log/open-note.ts'
import { checkpointText, flipped, logCrypto, noteSigner } from '../support/log-keys.ts'
import { examplesOf, vectorFiles } from './vectors.ts'

const pages = vectorFiles('c2sp')
const badFormat = expect.objectContaining({ code: 'ERR_FORMAT' })
const root = sha256Bytes('a tree')
const text = checkpointText('example.com/log', { size: 42, root })

describe.skipIf(pages.size === 0)('the examples of C2SP', () => {
  it('are checkpoints, with their signatures and cosignatures', () => {
    for (const page of ['tlog-checkpoint.md', 'tlog-cosignature.md']) {
      const note = readNote(examplesOf(pages, page)[0] ?? '')
      expect(readCheckpoint(sha256Bytes, note.text)).toMatchObject({
        origin: 'example.com/behind-the-sofa',
        size: 20_852_163,
        extensions: [],
      })
      expect(note.signatures[0]?.name).toBe('example.com/behind-the-sofa')
    }
  })

  it('say when the witness signed, and what it signed', () => {
    const note = readNote(examplesOf(pages, 'tlog-cosignature.md')[0] ?? '')
    const line = note.signatures.find(({ name }) => name === 'witness.example.com/w1')
    const stamped = readTimestamped(line?.signature ?? new Uint8Array(0))
    expect(stamped?.seconds).toBe(1_679_315_147)
    const message = /(?<=\n) {4}cosignature\/v1\n(?: {4}.*\n)+/.exec(pages.get('tlog-cosignature.md')?.toString() ?? '')
    const expected = message?.[0].replaceAll(/^ {4}/gm, '')
    expect(Buffer.from(cosignedMessage(note.text, stamped?.seconds ?? 0)).toString()).toBe(expected)
  })
})

describe('a checkpoint', () => {
  it('keeps its extension lines, which were signed', () => {
    const extended = `${text}one\ntwo\n`
    expect(readCheckpoint(sha256Bytes, extended).extensions).toEqual(['one', 'two'])
    expect(writeCheckpoint(sha256Bytes, readCheckpoint(sha256Bytes, extended))).toBe(extended)
  })

  it('may be of an empty tree, and of the largest', () => {
    for (const [size, at] of [
      [0, sha256Bytes('')],
      [Number.MAX_SAFE_INTEGER, root],
    ] as const) {
      const read = readCheckpoint(sha256Bytes, checkpointText('o', { size, root: at }))
      expect([read.size, Buffer.from(read.root)]).toEqual([size, Buffer.from(at)])
    }
  })

  const base64 = Buffer.from(root).toString('base64')
  it.each([
    ['of nothing', ''],
    ['of two lines', 'o\n1\n'],
    ['without its last newline', text.slice(0, -1)],
    ['without an origin', `\n1\n${base64}\n`],
    ['with an empty extension line', `${text}\n`],
    ['with a leading zero', `o\n01\n${base64}\n`],
    ['with a sign', `o\n+1\n${base64}\n`],
    ['with a negative size', `o\n-1\n${base64}\n`],
    ['with a size in other digits', `o\n１\n${base64}\n`],
    ['with an exponent', `o\n1e3\n${base64}\n`],
    ['with a space in the size', `o\n1 \n${base64}\n`],
    ['beyond 2^53 - 1, which a double would round', `o\n9007199254740993\n${base64}\n`],
    ['beyond 64 bits', `o\n18446744073709551616\n${base64}\n`],
    ['with a short root', `o\n1\n${Buffer.from(root).subarray(1).toString('base64')}\n`],
    ['with an unpadded root', `o\n1\n${base64.slice(0, -1)}\n`],
    ['with a root in base64url', `o\n1\n${'-_'.repeat(21)}A=\n`],
    ['with set bits behind the root', `o\n1\n${base64.slice(0, -2)}${base64.at(-2) === 'B' ? 'D' : 'B'}=\n`],
    ['with a carriage return', text.replaceAll('\n', '\r\n')],
    ['of an empty tree with a root of its own', `o\n0\n${base64}\n`],
  ])('%s is refused', (_, changed) => {
    expect(() => readCheckpoint(sha256Bytes, changed)).toThrow(badFormat)
  })

  it('is not written where it would read back as another', () => {
    const good: Checkpoint = { origin: 'o', size: 1, root, extensions: [] }
    for (const change of [
      { origin: '' },
      { origin: 'o\n2' },
      { size: 1.5 },
      { size: 2 ** 53 },
      { root: root.subarray(1) },
      { extensions: [''] },
      { extensions: ['a\nb'] },
      { origin: `o\n1\n${base64}` },
    ]) {
      expect(() => writeCheckpoint(sha256Bytes, { ...good, ...change })).toThrow(badFormat)
    }
  })

  it('is refused, or written back to the same text, whatever became of it', () => {
    const change = fc.tuple(fc.nat(text.length), fc.nat(3), fc.string({ maxLength: 3 }))
    fc.assert(
      fc.property(change, ([at, drop, put]) => {
        const other = text.slice(0, at) + put + text.slice(at + drop)
        let read: Checkpoint | undefined
        try {
          read = readCheckpoint(sha256Bytes, other)
        } catch (error) {
          expect(error).toEqual(badFormat)
        }
        if (read !== undefined) expect(writeCheckpoint(sha256Bytes, read)).toBe(other)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a cosignature', () => {
  const witness = noteSigner('witness.example/w', 'cosignature')
  const line = witness.sign(text, 1_700_000_000)
  const open = (signature: typeof line.signature, over = text) =>
    openNote({ text: over, signatures: [{ ...line, signature }] }, [witness.key], logCrypto.verifyEd25519)

  it('holds for its checkpoint, and brings its time', async () => {
    expect(await open(line.signature)).toEqual({ kind: 'verified', by: [{ key: witness.key, seconds: 1_700_000_000 }] })
  })

  it('holds for no other checkpoint', async () => {
    expect((await open(line.signature, text.replace('42', '43'))).kind).toBe('forged')
  })

  it('with any bit of its time or signature turned holds no more, so an old word cannot be made a new one', async () => {
    for (let bit = 0; bit < line.signature.length * 8; bit += 7) {
      expect((await open(flipped(line.signature, bit))).kind).toBe('forged')
    }
  })

  it('is not a plain signature, nor the other way round', async () => {
    const log = noteSigner(witness.key.name, 'ed25519')
    const plain = log.sign(text)
    const asWitness = { ...witness.key, publicKey: log.key.publicKey }
    const stamped = writeTimestamped({ seconds: 1_700_000_000, signature: plain.signature })
    const lines = [{ ...plain, id: asWitness.id, signature: stamped }]
    expect((await openNote({ text, signatures: lines }, [asWitness], logCrypto.verifyEd25519)).kind).toBe('forged')
  })

  it('has a time from 1 to 2^53 - 1 and 64 bytes, or is none', () => {
    const signature = new Uint8Array(64)
    for (const seconds of [1, Number.MAX_SAFE_INTEGER]) {
      expect(readTimestamped(writeTimestamped({ seconds, signature }))).toEqual({ seconds, signature })
    }
    expect(() => writeTimestamped({ seconds: 0, signature })).toThrow(badFormat)
    expect(() => writeTimestamped({ seconds: 1, signature: signature.slice(1) })).toThrow(badFormat)
    const beyond = new Uint8Array(72)
    for (const [high, why] of [
      [0x00_20_00_00, 'which a double would round'],
      [0x80_00_00_00, 'which C2SP forbids'],
    ] as const) {
      new DataView(beyond.buffer).setUint32(0, high)
      expect(readTimestamped(beyond), why).toBeUndefined()
    }
    expect(readTimestamped(new Uint8Array(73))).toBeUndefined()
  })
})
