import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addDecimals, decimalText, readDecimal, writeDecimal } from '../../src/bytes/decimal.ts'

const LARGEST = 2n ** 63n - 1n
const units = fc.bigInt({ min: -LARGEST - 1n, max: LARGEST })

describe('decimals', () => {
  it('are read back as they were written, to the last ten-thousandth of 64 bits', () => {
    fc.assert(
      fc.property(units, (written) => {
        expect(readDecimal(writeDecimal(written))).toBe(written)
      }),
    )
  })

  it('are added exactly, or not at all: no sum wraps or is rounded', () => {
    fc.assert(
      fc.property(units, units, (one, other) => {
        const sum = one + other
        const isHeld = sum <= LARGEST && sum >= -LARGEST - 1n
        expect(addDecimals(writeDecimal(one), writeDecimal(other))).toBe(isHeld ? writeDecimal(sum) : undefined)
      }),
    )
  })

  it('equal the number that they are made of, which is never rounded', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.double(),
          fc.maxSafeInteger().map((whole) => whole / 10_000),
        ),
        (number) => {
          const text = decimalText(number)
          expect(text === undefined || Number(text) === number).toBe(true)
        },
      ),
    )
  })

  it.each([
    ['500', '500.0'],
    [0.0001, '0.0001'],
    ['1.50', '1.50'],
    ['922337203685477.5807', '922337203685477.5807'],
  ])('hold %s', (value, text) => {
    expect(decimalText(value)).toBe(text)
  })

  it.each(['922337203685477.5808', '1e3', '+1', '1.', '.5', '1,5', '0x10', ' 1', '1\n', '', 'Infinity', 0.00001, 1e21])(
    'do not hold %j',
    (value) => {
      expect(decimalText(value)).toBeUndefined()
    },
  )
})
