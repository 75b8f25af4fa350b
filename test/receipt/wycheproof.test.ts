import { compactVerify, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { decodeBase64url } from '../../src/bytes/base64url.ts'
import { RECEIPT_TYP, readEnvelope } from '../../src/receipt/envelope.ts'
import { importTrustedKeys, type Jwk } from '../../src/receipt/keys.ts'
import { vectorFiles } from '../log/vectors.ts'

interface Jose {
  readonly testGroups: readonly {
    readonly public?: Jwk
    readonly private: Jwk & { readonly keys?: readonly Jwk[] }
    readonly tests: readonly { readonly tcId: number; readonly jws: unknown; readonly result: string }[]
  }[]
}

interface Ecdsa {
  readonly testGroups: readonly {
    readonly publicKey: { readonly wx: string; readonly wy: string }
    readonly tests: readonly {
      readonly tcId: number
      readonly msg: string
      readonly sig: string
      readonly result: string
    }[]
  }[]
}

const files = vectorFiles('wycheproof', 'testvectors_v1')
const read = <T>(name: string): T => JSON.parse(files.get(name)?.toString('utf8') ?? '{"testGroups":[]}')
const bytes = (hex: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(hex, 'hex'))

/** A coordinate of a curve, 32 bytes, as a JWK has it. */
function coordinate(hex: string): string {
  return Buffer.from(hex.padStart(64, '0').slice(-64), 'hex').toString('base64url')
}

/** One string per token: what is left for a JWS library to be wrong about once a receipt's segments were read. */
function isOneSpelling(jws: string): boolean {
  try {
    const parts = jws.split('.')
    for (const part of parts) decodeBase64url(part)
    return parts.length === 3 && parts.every((part) => part !== '')
  } catch {
    return false
  }
}

describe.skipIf(files.size === 0)('the vectors of Wycheproof', () => {
  it('for JWS: nothing that is invalid passes the strict reading, though a library alone takes some of it', async () => {
    const { testGroups } = read<Jose>('json_web_signature_test.json')
    let [count, taken, takenByLibrary, valid] = [0, 0, 0, 0]
    // Two of the invalid ones (367, 370) are, letter for letter, a token that another vector calls valid.
    const good = new Set(
      testGroups.flatMap(({ tests }) => tests.filter(({ result }) => result === 'valid').map(({ jws }) => jws)),
    )
    for (const group of testGroups) {
      const key = await importJWK((group.public ?? group.private) as object).catch(() => undefined)
      for (const { jws, result } of group.tests) {
        count += 1
        if (typeof jws !== 'string') continue
        const holds =
          key !== undefined &&
          (await compactVerify(jws, key).then(
            () => true,
            () => false,
          ))
        const strict = holds && isOneSpelling(jws)
        if (result === 'valid' && strict) valid += 1
        if (good.has(jws)) continue
        if (holds) takenByLibrary += 1
        if (strict) taken += 1
      }
    }
    expect({ count, taken }).toEqual({ count: 401, taken: 0 })
    expect(takenByLibrary).toBeGreaterThan(0)
    expect(valid).toBeGreaterThan(30)
  })

  it('for JWS: none of them is taken for a receipt', () => {
    for (const { tests } of read<Jose>('json_web_signature_test.json').testGroups) {
      for (const { tcId, jws } of tests) {
        expect(() => readEnvelope(String(jws), RECEIPT_TYP), `${tcId}`).toThrow(
          expect.objectContaining({ code: 'ERR_FORMAT' }),
        )
      }
    }
  })

  it('for JWK: no set that mixes, misuses or weakens keys makes an invalid signature trusted', async () => {
    let count = 0
    for (const group of read<Jose>('json_web_key_test.json').testGroups) {
      const keys = group.public === undefined ? (group.private.keys ?? [group.private]) : [group.public]
      const isUsable = await importTrustedKeys(keys).then(
        () => true,
        () => false,
      )
      for (const { tcId, jws, result } of group.tests) {
        count += 1
        let isRead = true
        try {
          readEnvelope(String(jws), RECEIPT_TYP)
        } catch {
          isRead = false
        }
        if (result !== 'valid') expect([tcId, isUsable && isRead]).toEqual([tcId, false])
      }
    }
    expect(count).toBe(26)
  })

  it('for ECDSA over P-256: every signature is answered as it says', async () => {
    let count = 0
    for (const { publicKey, tests } of read<Ecdsa>('ecdsa_secp256r1_sha256_p1363_test.json').testGroups) {
      const jwk = { kty: 'EC', crv: 'P-256', x: coordinate(publicKey.wx), y: coordinate(publicKey.wy) }
      const [key] = (await importTrustedKeys([jwk])).values()
      for (const { tcId, msg, sig, result } of tests) {
        count += 1
        expect([tcId, await key?.verify(bytes(sig), bytes(msg))]).toEqual([tcId, result === 'valid'])
      }
    }
    expect(count).toBe(262)
  })
})
