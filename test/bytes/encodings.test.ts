import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64url, encodeBase64url } from '../../src/bytes/base64url.ts'
import { crockford } from '../../src/bytes/crockford.ts'
import { randomBytes, sha256, sha256Bytes } from '../../src/bytes/digest.ts'

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('base64url has one spelling for each byte string', () => {
  it('writes what Node writes and reads it back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        const text = encodeBase64url(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64url'))
        expect([...decodeBase64url(text)]).toEqual([...bytes])
      }),
    )
  })

  it('refuses every other spelling, so one signature is one text', () => {
    for (const text of [
      'Zg==',
      'Zg=',
      'Zh',
      'Zm9',
      'Z',
      'Zm 9',
      'Zg\n',
      'Z+8',
      'Z/8',
      ' Zg',
      'Zg\u0000',
      'Zｇ',
      'Zm9vZ',
    ]) {
      expect(() => decodeBase64url(text), text).toThrow(expect.objectContaining({ code: 'ERR_FORMAT' }))
    }
  })

  it('accepts a text only if it is what the bytes are written as', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'AZaz09-_=+/ g'), maxLength: 12 }), (text) => {
        let bytes: Uint8Array
        try {
          bytes = decodeBase64url(text)
        } catch {
          return
        }
        expect(encodeBase64url(bytes)).toBe(text)
      }),
    )
  })
})

describe('crockford', () => {
  it('spells 128 bits in 26 characters that nobody mistakes for others', () => {
    expect(crockford(new Uint8Array(16).fill(255))).toBe('zzzzzzzzzzzzzzzzzzzzzzzzzw')
    expect(crockford(ascii('foobar'))).toBe('csqpyrk1e8')
    expect(crockford(new Uint8Array())).toBe('')
    expect(crockford(randomBytes(100))).toMatch(/^[0-9a-hjkmnp-tv-z]{160}$/)
  })

  it('gives different bytes of one length different texts', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (a, b) => {
          expect(crockford(a) === crockford(b)).toBe(a.every((byte, i) => byte === b[i]))
        },
      ),
    )
  })
})

describe('digests', () => {
  it('are SHA-256 as FIPS 180-4 publishes it', () => {
    expect(sha256('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
    expect(encodeBase64url(sha256Bytes('abc'))).toBe(sha256(ascii('abc')))
    expect(sha256('é')).toBe(sha256(ascii('é')))
  })

  it('come with bytes nobody can guess', () => {
    expect(randomBytes(32)).toHaveLength(32)
    expect(encodeBase64url(randomBytes(32))).not.toBe(encodeBase64url(randomBytes(32)))
  })
})
