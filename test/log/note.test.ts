import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { MOST_NOTE_BYTES, type Note, readNote, writeNote } from '../../src/log/note.ts'
import { openNote } from '../../src/log/open-note.ts'
import type { VerifyEd25519 } from '../../src/log/ports.ts'
import { readVerifierKey, verifierKey, writeVerifierKey } from '../../src/log/verifier-key.ts'
import { ascii, flipped, logCrypto, noteSigner } from '../support/log-keys.ts'
import { examplesOf, vectorFiles } from './vectors.ts'

const pages = vectorFiles('c2sp')
const examples = examplesOf(pages, 'signed-note.md')
const { verifyEd25519 } = logCrypto
const badFormat = expect.objectContaining({ code: 'ERR_FORMAT' })
const badKey = expect.objectContaining({ code: 'ERR_KEY' })

const alice = noteSigner('example.com/alice', 'ed25519')
const bob = noteSigner('example.com/bob', 'ed25519')
const text = 'Two lines,\n\nand an empty one between.\n'
const signed = writeNote({ text, signatures: [alice.sign(text)] })

describe.skipIf(pages.size === 0)('the examples of C2SP signed-note', () => {
  it('are notes, and are written back to the same bytes', () => {
    const notes = examples.filter((example) => example.includes('\u2014 ') && !example.includes('base64('))
    expect(notes.length).toBeGreaterThanOrEqual(2)
    for (const note of notes) {
      const example = note.endsWith('\n') ? note : `${note}\n`
      expect(writeNote(readNote(example))).toBe(example)
    }
  })

  it('open with their key', async () => {
    const vkey = /^ {4}(example\.com\/foo\+\S+)$/m.exec(pages.get('signed-note.md')?.toString() ?? '')?.[1] ?? ''
    const key = readVerifierKey(sha256Bytes, vkey)
    expect(writeVerifierKey(key)).toBe(vkey)
    const note = readNote(examples.find((example) => example.startsWith('This is an example message.')) ?? '')
    expect(await openNote(note, [key], verifyEd25519)).toEqual({ kind: 'verified', by: [{ key }] })
  })
})

describe('a note', () => {
  it('is read as bytes or as text, and its text keeps its empty lines', () => {
    for (const input of [signed, ascii(signed)]) {
      const note = readNote(input)
      expect(note.text).toBe(text)
      expect(note.signatures.map(({ name, id }) => [name, id])).toEqual([[alice.key.name, alice.key.id]])
    }
  })

  const [, line = ''] = /(\u2014 .*)\n$/.exec(signed) ?? []
  const refused: readonly (readonly [string, string | Uint8Array])[] = [
    ['without signatures', text],
    ['with nothing below the empty line', `${text}\n`],
    ['without the empty line', `${text}${line}\n`],
    ['that lost its last newline', signed.slice(0, -1)],
    ['that lost the end of a signature', `${signed.slice(0, -2)}\n`],
    ['with text below the signatures', `${signed}more\n`],
    ['with carriage returns', signed.replaceAll('\n', '\r\n')],
    ['with a tab in the text', signed.replace('Two ', 'Two\t')],
    ['with NUL in the text', `\u0000${signed}`],
    ['with a hyphen for the dash', signed.replace('\u2014', '-')],
    ['with two spaces', signed.replace('\u2014 ', '\u2014  ')],
    ['with a space behind the signature', signed.replace(/\n$/, ' \n')],
    ['with a plus in the name', signed.replace('/alice', '+alice')],
    ['with white space in the name that is no space', signed.replace('/alice', '\u00a0alice')],
    ['with next-line, a space to Unicode, in the name', signed.replace('/alice', '\u0085alice')],
    ['without a name', signed.replace('example.com/alice ', '')],
    ['with base64url', signed.replace(/[^ ]+\n$/, `${'-_'.repeat(46)}\n`)],
    ['with unpadded base64', signed.replace(/=\n$/, '\n')],
    ['with bits behind the last byte', signed.replace(/.=\n$/, 'B=\n')],
    ['with a key id and no signature', signed.replace(/ [^ ]+\n$/, ' AAAAAA==\n')],
    ['with a byte that is not UTF-8', Buffer.from(signed.replace(',', '\u00ff'), 'latin1')],
    ['with a lone surrogate', `\ud800${signed}`],
    ['larger than a reader should have to take', `${'a'.repeat(MOST_NOTE_BYTES)}\n\n${line}\n`],
    ['larger in bytes than in characters', `${'é'.repeat(MOST_NOTE_BYTES / 2)}\n\n${line}\n`],
    ['with more signatures than a reader should have to check', `${text}\n${`${line}\n`.repeat(65)}`],
  ]
  it.each(refused)('%s is refused, so that two readers never take one note for two', (_, input) => {
    expect(input).not.toBe(signed)
    expect(() => readNote(input)).toThrow(badFormat)
  })

  it('is not written where it would read back as another', () => {
    const signature = alice.sign(text)
    for (const note of [
      { text: 'no newline', signatures: [signature] },
      { text, signatures: [] },
      { text, signatures: [{ ...signature, name: 'two words' }] },
      { text: `${text}\n${line}\n`, signatures: [] },
      { text: `a\n\n${line}`, signatures: [signature] },
    ]) {
      expect(() => writeNote(note)).toThrow(badFormat)
    }
  })

  it('keeps a byte order mark, since it was signed', () => {
    const note = writeNote({ text: `\ufeff${text}`, signatures: [alice.sign(text)] })
    expect(readNote(Buffer.from(note)).text).toBe(`\ufeff${text}`)
  })

  it('is refused, or written back to the same bytes, whatever became of it', () => {
    const bytes = Buffer.from(writeNote({ text, signatures: [alice.sign(text), bob.sign(text)] }))
    const change = fc.tuple(fc.nat(bytes.length), fc.nat(3), fc.uint8Array({ maxLength: 3 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        let other = bytes
        for (const [at, drop, put] of changes)
          other = Buffer.concat([other.subarray(0, at), put, other.subarray(at + drop)])
        let note: Note | undefined
        try {
          note = readNote(other)
        } catch (error) {
          expect(error).toEqual(badFormat)
        }
        if (note !== undefined) expect(Buffer.from(writeNote(note)).equals(other)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

describe('opening a note', () => {
  const note = readNote(writeNote({ text, signatures: [alice.sign(text), bob.sign(text)] }))

  it('says whose signatures hold, and ignores the lines of strangers', async () => {
    expect(await openNote(note, [bob.key], verifyEd25519)).toEqual({ kind: 'verified', by: [{ key: bob.key }] })
    expect(await openNote(note, [bob.key, alice.key], verifyEd25519)).toEqual({
      kind: 'verified',
      by: [{ key: alice.key }, { key: bob.key }],
    })
  })

  it('under nobody who signed it gives no text away as good', async () => {
    const strangers = { kind: 'strangers', names: [alice.key.name, bob.key.name] }
    expect(await openNote(note, [], verifyEd25519)).toEqual(strangers)
    // The same name, another key; and the same id, another name.
    const namesake = noteSigner(alice.key.name, 'ed25519').key
    const collision = { ...alice.key, name: 'example.com/mallory' }
    expect(await openNote(note, [namesake, collision], verifyEd25519)).toEqual(strangers)
  })

  it('with one false line in a known name opens nothing, though another line holds', async () => {
    const [first = alice.sign(text), second = bob.sign(text)] = note.signatures
    const turned = { ...first, signature: flipped(first.signature, 77) }
    const forged = { kind: 'forged', name: alice.key.name }
    expect(await openNote({ text, signatures: [turned, second] }, [alice.key, bob.key], verifyEd25519)).toEqual(forged)
    expect(await openNote({ text, signatures: [first, turned] }, [alice.key], verifyEd25519)).toEqual(forged)
    const short = { ...first, signature: first.signature.slice(0, 63) }
    expect(await openNote({ text, signatures: [short] }, [alice.key], async () => true)).toEqual(forged)
  })

  it('with any bit of the text turned opens nothing', async () => {
    for (let bit = 0; bit < text.length * 8; bit += 13) {
      const other = Buffer.from(flipped(Buffer.from(text), bit)).toString('latin1')
      const opened = await openNote({ text: other, signatures: [alice.sign(text)] }, [alice.key], verifyEd25519)
      expect(opened.kind).toBe('forged')
    }
  })

  it('takes nothing but true for a yes', async () => {
    const truthy = (async () => 'no') as unknown as VerifyEd25519
    expect((await openNote(note, [alice.key], truthy)).kind).toBe('forged')
  })

  it('takes as many signatures as a quorum of witnesses needs', async () => {
    const many = Array.from({ length: 64 }, (_, index) => noteSigner(`w${index}`, 'ed25519'))
    const large = readNote(writeNote({ text, signatures: many.map((one) => one.sign(text)) }))
    const opened = await openNote(
      large,
      many.map(({ key }) => key),
      verifyEd25519,
    )
    expect(opened).toMatchObject({ kind: 'verified', by: { length: 64 } })
  })
})

describe('a verifier key', () => {
  const vkey = writeVerifierKey(alice.key)

  it('reads back as it was, for notes and for cosignatures', () => {
    for (const key of [alice.key, noteSigner('w', 'cosignature').key]) {
      expect(readVerifierKey(sha256Bytes, writeVerifierKey(key))).toEqual(key)
    }
  })

  it('has another id for each use, so a log cannot pass for its own witness', () => {
    const { name, publicKey } = alice.key
    expect(verifierKey(sha256Bytes, { name, kind: 'cosignature', publicKey }).id).not.toBe(alice.key.id)
  })

  it.each([
    ['a name that was changed', vkey.replace('alice', 'alicf')],
    ['an id that was changed', vkey.replace(/\+(.)/, (_, digit) => `+${digit === '0' ? '1' : '0'}`)],
    ['an id in capitals', vkey.replace(/\+[0-9a-f]{8}/, (id) => id.toUpperCase().replace(/^\+\d+$/, '+ABCDEF01'))],
    ['another type', `x+00000000+${Buffer.concat([Buffer.of(2), alice.key.publicKey]).toString('base64')}`],
    ['no type', 'x+00000000+AA=='],
    ['a key that is too short', `x+00000000+${Buffer.alloc(32, 1).toString('base64')}`],
    ['white space', ` ${vkey}`],
    ['a line break', `${vkey}\n`],
    ['a part missing', vkey.replace(/^[^+]+\+/, '')],
    ['nothing', ''],
  ])('with %s is refused, not taken for somebody', (_, changed) => {
    expect(() => readVerifierKey(sha256Bytes, changed)).toThrow(badKey)
  })

  it('is not made of an impossible name or key', () => {
    const { publicKey } = alice.key
    for (const name of ['', 'a b', 'a+b', 'a\u2003b']) {
      expect(() => verifierKey(sha256Bytes, { name, kind: 'ed25519', publicKey })).toThrow(badKey)
    }
    const short = publicKey.slice(1)
    expect(() => verifierKey(sha256Bytes, { name: 'a', kind: 'ed25519', publicKey: short })).toThrow(badKey)
  })
})
