import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeBase64url } from '../../src/bytes/base64url.ts'
import { sha256 } from '../../src/bytes/digest.ts'
import { Digests, Numbers } from '../../src/receipt/digests.ts'

/** Digests of which many begin alike, as somebody chooses them who wants a verifier to be slow; and texts that are none. */
const digests = fc.oneof(
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map(encodeBase64url),
  fc.tuple(fc.constantFrom(0, 1, 255), fc.nat(400)).map(([first, last]) => {
    const bytes = new Uint8Array(32)
    bytes[0] = first
    bytes.set([last & 255, last >> 8], 30)
    return encodeBase64url(bytes)
  }),
  // Bits beyond the last byte are set: another text, and no digest.
  fc.nat(9).map((n) => `${sha256(String(n)).slice(0, 42)}B`),
  fc.string({ maxLength: 50 }),
)

describe('I6: a table of digests', () => {
  it('I6: knows what it was given and nothing else, each under its own number, as a map of texts does', () => {
    const many = fc.array(digests, { maxLength: 900 })
    fc.assert(
      fc.property(many, many, (given, asked) => {
        const table = new Digests()
        const map = new Map<string, number>()
        for (const text of given) {
          const number = map.get(text) ?? map.size
          expect(table.number(text)).toBe(number)
          map.set(text, number)
        }
        expect(table.size).toBe(map.size)
        for (const text of [...asked, ...given]) expect(table.find(text)).toBe(map.get(text))
        for (const [text, number] of map) expect(table.text(number)).toBe(text)
      }),
      { numRuns: 60 },
    )
  })

  it('finds each of many more than it began with room for', () => {
    const table = new Digests()
    const texts = Array.from({ length: 20_000 }, (_, n) => sha256(String(n)))
    for (const [number, text] of texts.entries()) expect(table.number(text)).toBe(number)
    for (const [number, text] of texts.entries()) expect([table.find(text), table.text(number)]).toEqual([number, text])
    expect(table.find(sha256('another'))).toBeUndefined()
  })
})

describe('numbers beside them', () => {
  it('are 0 until they are set, however far apart', () => {
    const numbers = new Numbers()
    numbers.set(70_000, 7)
    numbers.set(0, 1)
    expect([0, 1, 69_999, 70_000, 70_001, 9_999_999].map((at) => numbers.get(at))).toEqual([1, 0, 0, 7, 0, 0])
  })
})
