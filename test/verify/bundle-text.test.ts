import { describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { writeNote } from '../../src/log/note.ts'
import { type BundleContent, type BundleHead, bundleLines, fitsBundle, readBundlePart } from '../../src/verify.ts'
import { checkpointText, noteSigner } from '../support/log-keys.ts'
import { collect } from '../support/receipt-drafts.ts'

const badFormat = expect.objectContaining({ code: 'ERR_FORMAT' })
const log = noteSigner('shop.example/log', 'ed25519')
const hash = new Uint8Array(sha256Bytes(new Uint8Array(1)))
const digest = Buffer.from(hash).toString('base64url')

function note(size: number, origin = 'shop.example/log'): string {
  const text = checkpointText(origin, { size, root: hash })
  return writeNote({ text, signatures: [log.sign(text)] })
}

const whole: BundleHead = { origin: 'shop.example/log', scope: 'log', size: 2 }
const part: BundleHead = { ...whole, scope: 'part', size: 9 }
const opening = { receipt: digest, salt: 'c2FsdA', opens: 'request', text: '{"a":1}' } as const
const receipt = (leaf?: number, proof?: readonly Uint8Array[]): BundleContent => ({
  kind: 'receipt',
  jws: 'a.b.c',
  ...(leaf === undefined ? {} : { leaf }),
  ...(proof === undefined ? {} : { proof }),
})
const checkpoint = (size: number, proof?: readonly Uint8Array[]): BundleContent => ({
  kind: 'checkpoint',
  note: note(size),
  ...(proof === undefined ? {} : { proof }),
})
const written = (head: BundleHead, ...content: readonly BundleContent[]) => collect(bundleLines(head, content))

describe('a bundle', () => {
  it('of a whole log reads back line by line', async () => {
    const lines = await written(
      whole,
      receipt(0),
      { kind: 'opening', ...opening },
      checkpoint(1),
      receipt(1),
      checkpoint(2),
    )
    expect(lines.map((line) => readBundlePart(line).kind)).toEqual([
      'head',
      'receipt',
      'opening',
      'checkpoint',
      'receipt',
      'checkpoint',
      'end',
    ])
    expect(lines[0]).toBe('{"bundle":"holdpoint-bundle/1","origin":"shop.example/log","scope":"log","size":2}')
    expect(lines[2]).toBe(`{"opening":{"receipt":"${digest}","salt":"c2FsdA","request":"{\\"a\\":1}"}}`)
    expect(lines.at(-1)).toBe('{"end":{"receipts":2,"openings":1,"checkpoints":2}}')
  })

  it('of some leaves carries the proof of each, and nothing else has to be there', async () => {
    const lines = await written(
      part,
      receipt(3, [hash]),
      receipt(7, [hash, hash]),
      checkpoint(4, [hash]),
      checkpoint(9),
    )
    expect(readBundlePart(lines[2] ?? '')).toEqual({ kind: 'receipt', jws: 'a.b.c', leaf: 7, proof: [hash, hash] })
  })

  it('of receipts that were never logged has no leaves and no checkpoint', async () => {
    const lines = await written({ ...whole, size: 0 }, receipt(), receipt())
    expect(lines).toHaveLength(4)
  })

  it.each<readonly [string, BundleHead, readonly BundleContent[]]>([
    ['a hole among the leaves of a whole log', whole, [receipt(1)]],
    ['a leaf that is said twice', whole, [receipt(0), receipt(0)]],
    ['leaves out of order', part, [receipt(7, [hash]), receipt(3, [hash])]],
    ['a leaf beyond the log', part, [receipt(9, [hash])]],
    ['a receipt of a part without its proof', part, [receipt(3)]],
    ['a receipt of a whole log with a proof', whole, [receipt(0, [])]],
    ['a receipt without its leaf', whole, [receipt()]],
    ['a leaf where nothing was logged', { ...whole, size: 0 }, [receipt(0)]],
    ['a checkpoint where nothing was logged', { ...whole, size: 0 }, [checkpoint(2)]],
    ['no last checkpoint', whole, [receipt(0), receipt(1)]],
    ['a last checkpoint before all leaves came', whole, [receipt(0), checkpoint(2)]],
    ['a receipt behind the last checkpoint', whole, [receipt(0), receipt(1), checkpoint(2), receipt(1)]],
    ['a last checkpoint with a proof', whole, [receipt(0), receipt(1), checkpoint(2, [hash])]],
    ['an earlier checkpoint where its root is not known', whole, [checkpoint(1)]],
    ['a checkpoint beyond the log', whole, [receipt(0), checkpoint(3, [hash])]],
    ['the checkpoint of another log', whole, [receipt(0), { kind: 'checkpoint', note: note(1, 'other.example/log') }]],
    ['something that is no checkpoint', whole, [receipt(0), { kind: 'checkpoint', note: 'all is well' }]],
  ])('is not written with %s', async (_, head, content) => {
    await expect(written(head, ...content)).rejects.toThrow(badFormat)
  })

  it('does not take an opening that no reader would', async () => {
    const text = 'x'.repeat(128 * 1024)
    expect(fitsBundle({ ...opening, text })).toBe(false)
    expect(fitsBundle({ ...opening, text: 'é'.repeat(60_000) })).toBe(true)
    await expect(written({ ...whole, size: 0 }, { kind: 'opening', ...opening, text })).rejects.toThrow(badFormat)
  })
})

describe('a line of a bundle', () => {
  it.each([
    ['that is not JSON', 'roses are red'],
    ['that is no object', '["bundle"]'],
    ['with a member twice', '{"end":{"receipts":0,"openings":0,"checkpoints":0,"receipts":0}}'],
    ['with a member of no line', '{"end":{"receipts":0,"openings":0,"checkpoints":0},"claimed-keys":{}}'],
    ['of another version', '{"bundle":"holdpoint-bundle/2","origin":"o","scope":"log","size":0}'],
    ['of another scope', '{"bundle":"holdpoint-bundle/1","origin":"o","scope":"some","size":0}'],
    ['with a size below 0', '{"bundle":"holdpoint-bundle/1","origin":"o","scope":"log","size":-1}'],
    ['with half a leaf', '{"receipt":"a.b.c","leaf":0.5}'],
    ['with a hash of another length', '{"receipt":"a.b.c","leaf":0,"proof":["AAAA"]}'],
    ['with a proof that is too long', JSON.stringify({ receipt: 'a', leaf: 0, proof: new Array(64).fill('A') })],
    ['that opens both', `{"opening":{"receipt":"${digest}","salt":"s","request":"r","result":"r"}}`],
    ['that opens what is no hash', '{"opening":{"receipt":"r","salt":"s","request":"r"}}'],
    ['that says nothing', '{}'],
    ['that is longer than it may be', `{"checkpoint":"${'x'.repeat(128 * 1024)}"}`],
  ])('%s is refused', (_, line) => {
    expect(() => readBundlePart(line)).toThrow(badFormat)
  })
})
