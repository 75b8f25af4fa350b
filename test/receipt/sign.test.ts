import { createHash, generateKeyPairSync } from 'node:crypto'
import { compactVerify, decodeProtectedHeader, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { canonicalText } from '../../src/bytes/canonical.ts'
import { commitArguments, commitRequest, commitResult } from '../../src/receipt/commit.ts'
import { createSigner, generateSigner, sealReceipt, signerFromPem } from '../../src/receipt/sign.ts'
import { DIGEST, outcomeDraft } from '../support/receipt-drafts.ts'

const claims = {
  ...outcomeDraft(DIGEST),
  v: 1 as const,
  iss: 'test',
  stream: 'AAAAAAAAAAAAAAAAAAAAAA',
  seq: 3,
  prev: DIGEST,
  ts: 1_700_000_000_000,
  mono: 12,
}
const p256 = () => createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

describe('sealing a receipt', () => {
  for (const [alg, make] of [
    ['Ed25519', generateSigner],
    ['ES256', p256],
  ] as const) {
    it(`makes a JWS that an independent library verifies (${alg})`, async () => {
      const signer = make()
      const { jws } = sealReceipt(signer, claims)
      const { payload } = await compactVerify(jws, await importJWK({ ...signer.publicJwk }, alg), { algorithms: [alg] })
      expect(new TextDecoder().decode(payload)).toBe(canonicalText(claims))
      expect(decodeProtectedHeader(jws)).toEqual({ alg, kid: signer.kid, typ: 'holdpoint-receipt+jwt' })
    })
  }

  it('names a receipt by its payload alone, so that anyone can work the name out', () => {
    const receipt = sealReceipt(generateSigner(), claims)
    const hash = createHash('sha256').update('\0').update(canonicalText(claims)).digest('base64url')
    expect(receipt.hash).toBe(hash)
    expect(sealReceipt(generateSigner(), claims)).toMatchObject({ hash, id: receipt.id })
    expect(receipt.id).toMatch(/^r_[0-9a-hjkmnp-tv-z]{26}$/)
  })

  it('refuses a payload that no verifier would read', () => {
    expect(() => sealReceipt(generateSigner(), { ...claims, iss: 'x'.repeat(40_000) })).toThrow(/may hold/)
  })

  it('says its key in the form of RFC 7638, as the thumbprint of RFC 8037 appendix A shows', () => {
    const d = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A'
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
    const pem = pemOf({ kty: 'OKP', crv: 'Ed25519', d, x })
    expect(signerFromPem(pem).kid).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  it('refuses keys that receipts cannot be signed with', () => {
    expect(() => createSigner(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)).toThrow(
      /Ed25519 or P-256/,
    )
    expect(() => createSigner(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey)).toThrow(
      /Ed25519 or P-256/,
    )
    expect(() => createSigner(generateKeyPairSync('ed25519').publicKey)).toThrow(/private/)
    expect(() => signerFromPem('not a key')).toThrow(/PKCS #8/)
  })

  it('never publishes the private half', () => {
    expect(Object.keys(generateSigner().publicJwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
  })
})

describe('blinding', () => {
  it('gives the same value for the same key, and another for another key, label or value', () => {
    const pem = pemOf(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }))
    const [one, same, other] = [signerFromPem(pem), signerFromPem(pem), generateSigner()]
    expect(one.blind('call', 'k')).toBe(same.blind('call', 'k'))
    const values = [
      one.blind('call', 'k'),
      other.blind('call', 'k'),
      one.blind('conversation', 'k'),
      one.blind('call', 'l'),
    ]
    expect(new Set(values).size).toBe(4)
    expect(one.blind('ab', 'c')).not.toBe(one.blind('a', 'bc'))
  })
})

describe('salted commitments', () => {
  it('are the digest of a canonical array, so that any RFC 8785 library can open them', () => {
    const input = { to: 'a "quoted" ü', amount: 900 }
    const expected = createHash('sha256')
      .update(canonicalText(['hp-args/1', 's"alt', 'shop', 'refund', input]))
      .digest('base64url')
    expect(commitArguments('s"alt', 'shop', 'refund', canonicalText(input))).toBe(expected)
    const request = createHash('sha256')
      .update(canonicalText(['hp-request/1', 's', input]))
      .digest('base64url')
    expect(commitRequest('s', canonicalText(input))).toBe(request)
    const result = createHash('sha256')
      .update(canonicalText(['hp-result/1', 's', 'done\n']))
      .digest('base64url')
    expect(commitResult('s', 'done\n')).toBe(result)
  })

  it('tell nothing without the salt: equal arguments look different', () => {
    expect(commitArguments('s1', 'shop', 'refund', '{}')).not.toBe(commitArguments('s2', 'shop', 'refund', '{}'))
  })
})

function pemOf(jwk: import('node:crypto').JsonWebKey): string {
  const { createPrivateKey } = process.getBuiltinModule('node:crypto')
  return createPrivateKey({ key: jwk, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' }).toString()
}
