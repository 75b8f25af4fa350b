import { describe, expect, it } from 'vitest'
import { isStrictPublicKey, isStrictSignature, verifyEd25519 } from '../../src/bytes/ed25519.ts'
import { vectorFiles } from '../log/vectors.ts'

interface Cctv {
  readonly key: string
  readonly sig: string
  readonly msg: string
  readonly flags: readonly string[] | null
}

interface Wycheproof {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string }
    readonly tests: readonly {
      readonly tcId: number
      readonly msg: string
      readonly sig: string
      readonly result: string
    }[]
  }[]
}

const cctv = vectorFiles('cctv', 'ed25519').get('ed25519vectors.json')
const wycheproof = vectorFiles('wycheproof', 'testvectors_v1').get('ed25519_test.json')
const bytes = (hex: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(hex, 'hex'))
const TAKEN: ReadonlySet<string> = new Set(['low_order_component_A', 'low_order_component_R'])

describe('Ed25519 in the strict profile', () => {
  it.skipIf(cctv === undefined)(
    'takes exactly the 43 of 914 edge cases of CCTV that every strict verifier takes',
    async () => {
      const all: readonly Cctv[] = JSON.parse(cctv?.toString('utf8') ?? '[]')
      const taken = []
      for (const one of all) {
        const message = new TextEncoder().encode(one.msg)
        if (await verifyEd25519(bytes(one.key), message, bytes(one.sig))) taken.push(one)
      }
      expect(taken).toEqual(all.filter(({ flags }) => (flags ?? []).every((flag) => TAKEN.has(flag))))
      expect([all.length, taken.length]).toEqual([914, 43])
    },
  )

  it.skipIf(wycheproof === undefined)('answers every Wycheproof vector as it says', async () => {
    const { testGroups }: Wycheproof = JSON.parse(wycheproof?.toString('utf8') ?? '{"testGroups":[]}')
    let count = 0
    for (const { publicKey, tests } of testGroups) {
      for (const { tcId, msg, sig, result } of tests) {
        count += 1
        expect([tcId, await verifyEd25519(bytes(publicKey.pk), bytes(msg), bytes(sig))]).toEqual([
          tcId,
          result === 'valid',
        ])
      }
    }
    expect(count).toBe(151)
  })

  it('refuses, by the bytes alone, every spelling of a key of small order', () => {
    const small = [
      '0100000000000000000000000000000000000000000000000000000000000000',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      '0000000000000000000000000000000000000000000000000000000000000000',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    ]
    for (const hex of small) {
      const key = bytes(hex)
      expect(isStrictPublicKey(key), hex).toBe(false)
      key[31] = (key[31] ?? 0) | 0x80
      expect(isStrictPublicKey(key), `${hex} with the sign`).toBe(false)
    }
    expect(isStrictPublicKey(new Uint8Array(31).fill(9))).toBe(false)
  })

  it('refuses a second spelling of a signature', () => {
    const order = bytes('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')
    const r = bytes('5866666666666666666666666666666666666666666666666666666666666666')
    const signature = new Uint8Array(64)
    signature.set(r)
    expect(isStrictSignature(signature)).toBe(true)
    signature.set(order, 32)
    expect(isStrictSignature(signature)).toBe(false)
    // R of small order: OpenSSL refuses these, and Chromium would take them.
    const identity = new Uint8Array(64)
    identity[0] = 1
    expect(isStrictSignature(identity)).toBe(false)
  })
})
