import { generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { describe, expect, it } from 'vitest'
import { overrideKeys } from '../../src/override/keys.ts'
import { createSigner, generateSigner } from '../../src/receipt/sign.ts'

const ed25519 = generateSigner()
const es256 = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

describe('the keys of trust.override', () => {
  it('are known by their RFC 7638 thumbprint, not by the kid that came along', async () => {
    const keys = overrideKeys([{ ...ed25519.publicJwk, kid: 'mine' }, es256.publicJwk])
    const thumbprints = [ed25519, es256].map(({ publicJwk }) => calculateJwkThumbprint({ ...publicJwk }))
    expect([...keys.keys()]).toEqual(await Promise.all(thumbprints))
    expect([...keys.keys()]).toEqual([ed25519.kid, es256.kid])
  })

  it('verify what their own key signed, and nothing else', () => {
    const bytes = Buffer.from('bytes')
    for (const signer of [ed25519, es256]) {
      const key = overrideKeys([signer.publicJwk]).get(signer.kid)
      expect(key?.verify(signer.sign(bytes), bytes)).toBe(true)
      expect(key?.verify(signer.sign(bytes), Buffer.from('other'))).toBe(false)
      expect(key?.verify(generateSigner().sign(bytes), bytes)).toBe(false)
    }
  })

  it("never hold the gate's own receipt key: it could sign overrides without any person", () => {
    expect(() => overrideKeys([es256.publicJwk, ed25519.publicJwk], ed25519.kid)).toThrow(
      "trust.override: key 2 is this gate's own receipt key",
    )
  })

  it.each<[string, object]>([
    ['another kind of key', { kty: 'RSA', n: 'AQAB', e: 'AQAB' }],
    ['a private key', { ...ed25519.publicJwk, d: 'AAAA' }],
    ['a point that is not on the curve', { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }],
    ['a key that is too short', { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }],
    ['a key spelt in another way', { kty: 'OKP', crv: 'Ed25519', x: `${'A'.repeat(42)}B` }],
    ['a key for encryption', { ...ed25519.publicJwk, use: 'enc' }],
    ['another alg', { ...ed25519.publicJwk, alg: 'ES256' }],
  ])('refuse %s when the gate starts', (_what, jwk) => {
    expect(() => overrideKeys([es256.publicJwk, jwk as never])).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', message: expect.stringContaining('trust.override: key 2') }),
    )
  })
})
