import { describe, expect, it } from 'vitest'
import { randomBytes } from '../../src/bytes/digest.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('random bytes', () => {
  it('are never given out twice, also across refills of the pool', () => {
    const salts = Array.from({ length: 2_000 }, () => hex(randomBytes(16)))
    expect(new Set(salts).size).toBe(salts.length)
  })

  it('belong to whoever asked: erasing one salt leaves the others', () => {
    const first = randomBytes(16)
    const second = randomBytes(16)
    const kept = hex(second)
    first.fill(0)
    expect(hex(second)).toBe(kept)
    expect(first.buffer).not.toBe(second.buffer)
  })

  it.each([0, 1, 16, 4_096, 4_097, 100_000])('come in the length that was asked for: %d', (length) => {
    const bytes = randomBytes(length)
    expect(bytes).toHaveLength(length)
    if (length >= 16) expect(bytes.some((byte) => byte !== 0)).toBe(true)
  })
})
