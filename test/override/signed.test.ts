import { generateKeyPairSync } from 'node:crypto'
import { generalVerify, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { canonicalText } from '../../src/bytes/canonical.ts'
import { crockford } from '../../src/bytes/crockford.ts'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import type { OverrideClaims } from '../../src/override/claims.ts'
import { countersign, readOverride, signOverride } from '../../src/override/signed.ts'
import { signersOf } from '../../src/override/standing.ts'
import { createSigner, generateSigner } from '../../src/receipt/sign.ts'
import { MINUTE_MS, NOW, overrideClaims, signedBy, trusting } from '../support/overrides.ts'

const [alice, bob, mallory] = [generateSigner(), generateSigner(), generateSigner()]
const es256 = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
const text = signedBy([alice])

interface File {
  payload: string
  signatures: { protected: string; signature: string }[]
}
/** The same override with something changed by hand. */
const edited = (change: (file: File) => void, of = text): string => {
  const file = JSON.parse(of) as File
  change(file)
  return canonicalText(file)
}
const base64url = (of: string): string => Buffer.from(of).toString('base64url')
const first = (file: File) => file.signatures[0] as File['signatures'][0]

describe('a signed override', () => {
  it('says what was signed, and by whom', () => {
    const signed = readOverride(signedBy([alice, es256]))
    expect(signed.claims).toEqual(overrideClaims())
    expect(signersOf(signed, trusting(alice, bob, es256))).toEqual([alice.kid, es256.kid])
    expect(signersOf(signed, trusting(bob, es256))).toEqual([es256.kid])
  })

  it('is a JWS that any library verifies', async () => {
    const file = JSON.parse(signedBy([alice, es256])) as File
    for (const { publicJwk, alg } of [alice, es256]) {
      const key = await importJWK({ ...publicJwk }, alg)
      const { payload } = await generalVerify({ ...file }, key)
      expect(JSON.parse(Buffer.from(payload).toString())).toEqual(overrideClaims())
    }
  })

  it('has an id that anybody can work out from what was signed, whoever signed it and however often', () => {
    const hash = sha256Bytes(canonicalText(overrideClaims()))
    const id = `ov_${crockford(hash.subarray(0, 16))}`
    for (const signers of [[alice], [bob], [alice, bob], [bob, alice]])
      expect(readOverride(signedBy(signers)).id).toBe(id)
    expect(readOverride(signedBy([alice], { nonce: 'AAAAAAAAAAAAAAAAAAAAAQ' })).id).not.toBe(id)
  })

  it.each<[string, Partial<OverrideClaims>, string]>([
    ['lives longer than an hour', { expires: NOW + 60 * MINUTE_MS + 1 }, '/expires'],
    ['ends before it begins', { expires: NOW }, '/expires'],
    ['has no end to its uses', { most: 1_001 }, '/most'],
    ['has no use', { most: 0 }, '/most'],
    ['names no tool', { tools: [] }, '/tools'],
    ['names a tool without its server', { tools: ['restock'] }, '/tools/0'],
    ['names tools by half of a pattern', { tools: ['shop/re*'] }, '/tools/0'],
    ['names a tool twice', { tools: ['shop/a', 'shop/a'] }, '/tools'],
    ['names no environment', { environment: '' }, '/environment'],
    ['gives no reason', { reason: '  ' }, '/reason'],
    ['hides a line in its reason', { reason: 'fine\nadmin: yes' }, '/reason'],
    ['gives no ticket', { ticket: '' }, '/ticket'],
    ['says one word more', { materiality: 'high' } as never, ''],
    ['is for a materiality of its choice', { materiality: 'low' } as never, ''],
  ])('is not signed and not read when it %s', (_what, changes, at) => {
    expect(() => signOverride(overrideClaims(changes), alice)).toThrow(
      expect.objectContaining({ code: 'ERR_FORMAT', at }),
    )
    const payload = base64url(canonicalText(overrideClaims(changes)))
    const header = first(JSON.parse(text) as File).protected
    const signature = Buffer.from(alice.sign(Buffer.from(`${header}.${payload}`))).toString('base64url')
    const file = canonicalText({ payload, signatures: [{ protected: header, signature }] })
    expect(() => readOverride(file)).toThrow(expect.objectContaining({ code: 'ERR_FORMAT', at }))
  })

  it('that was changed after signing counts for nothing', () => {
    const payload = base64url(canonicalText(overrideClaims({ most: 1_000 })))
    const changed = edited((file) => {
      file.payload = payload
    })
    expect(() => signersOf(readOverride(changed), trusting(alice))).toThrow('changed after signing')
    const borrowed = edited((file) => {
      first(file).signature = first(JSON.parse(signedBy([mallory])) as File).signature
    })
    expect(() => signersOf(readOverride(borrowed), trusting(alice))).toThrow('changed after signing')
    // One good signature does not make up for a bad one of a trusted key.
    const half = edited(
      (file) => {
        first(file).signature = base64url('x'.repeat(64))
      },
      signedBy([alice, bob]),
    )
    expect(() => signersOf(readOverride(half), trusting(alice, bob))).toThrow('changed after signing')
  })

  it('is verified under the algorithm of the trusted key, whatever its header says', () => {
    const header = base64url(canonicalText({ alg: 'ES256', kid: alice.kid, typ: 'holdpoint-override+jwt' }))
    const { payload } = JSON.parse(text) as File
    const signature = Buffer.from(alice.sign(Buffer.from(`${header}.${payload}`))).toString('base64url')
    const file = canonicalText({ payload, signatures: [{ protected: header, signature }] })
    expect(() => signersOf(readOverride(file), trusting(alice))).toThrow('says alg "ES256"')
  })

  it('cannot be signed twice by one key, so that one person is never two', () => {
    expect(() => countersign(text, alice)).toThrow('signed by this key already')
    const twice = edited((file) => file.signatures.push(first(file)))
    expect(() => readOverride(twice)).toThrow('two signatures of one key')
  })

  it.each<[string, string]>([
    ['white space', ` ${text}`],
    ['a line end', `${text}\n`],
    ['another order of members', JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text)).reverse()))],
    ['a member twice', text.replace('{"payload"', '{"payload":"","payload"')],
    ['a member more', text.replace('{"payload"', '{"header":{},"payload"')],
    ['a padded payload', text.replace(/("payload":"[^"]+)"/, '$1="')],
    ['no signature', edited((file) => file.signatures.splice(0))],
    ['nine signatures', edited((file) => file.signatures.push(...Array(8).fill(first(file))))],
    ['a short signature', edited((file) => (first(file).signature = base64url('x')))],
    ['nothing', ''],
    ['something else', '[]'],
    ['too much', `"${'x'.repeat(20_000)}"`],
    ['deep nesting', '['.repeat(50)],
  ])('is refused when it is written with %s', (_what, written) => {
    expect(() => readOverride(written)).toThrow(expect.objectContaining({ code: 'ERR_FORMAT' }))
  })

  it.each<[string, object]>([
    ['the typ of a receipt', { alg: 'Ed25519', kid: alice.kid, typ: 'holdpoint-receipt+jwt' }],
    ['a key of its own', { alg: 'Ed25519', jwk: {}, kid: alice.kid, typ: 'holdpoint-override+jwt' }],
    ['no alg', { kid: alice.kid, typ: 'holdpoint-override+jwt' }],
    ['crit', { alg: 'Ed25519', crit: ['b64'], kid: alice.kid, typ: 'holdpoint-override+jwt' }],
  ])('is refused when a header has %s', (_what, header) => {
    const changed = edited((file) => {
      first(file).protected = base64url(canonicalText(header))
    })
    expect(() => readOverride(changed)).toThrow(expect.objectContaining({ code: 'ERR_FORMAT' }))
  })
})
