/**
 * Decimals with at most four places: what Cedar's `decimal` holds and what sessions add up. As text, or as a whole number of
 * ten-thousandths within 64 bits. Everything here is exact.
 */
const PLACES = 4
/** The most ten-thousandths that such a decimal holds. */
export const LARGEST_DECIMAL = 2n ** 63n - 1n
const SMALLEST = -(2n ** 63n)
const TEXT = /^(-?)(\d{1,15})(?:\.(\d{1,4}))?$/

/** The ten-thousandths that a text says; `undefined` for what is no such decimal: more places, another form, out of range. */
export function readDecimal(text: string): bigint | undefined {
  const [, sign, whole = '', fraction = ''] = TEXT.exec(text) ?? []
  if (sign === undefined) return undefined
  const size = BigInt(whole + fraction.padEnd(PLACES, '0'))
  const units = sign === '-' ? -size : size
  return isInRange(units) ? units : undefined
}

/** Ten-thousandths as text, with one to four places. */
export function writeDecimal(units: bigint): string {
  const digits = (units < 0n ? -units : units).toString().padStart(PLACES + 1, '0')
  const fraction = digits.slice(-PLACES).replace(/0{1,3}$/, '')
  return `${units < 0n ? '-' : ''}${digits.slice(0, -PLACES)}.${fraction}`
}

/** A number or a text in the form that Cedar reads (`500` → `500.0`); `undefined` when no such decimal is equal to it. */
export function decimalText(value: number | string): string | undefined {
  const text = String(value)
  if (readDecimal(text) === undefined) return undefined
  return text.includes('.') ? text : `${text}.0`
}

/** Sum of two decimal texts; `undefined` when one is no decimal or the sum is out of range. */
export function addDecimals(one: string, other: string): string | undefined {
  const [first, second] = [readDecimal(one), readDecimal(other)]
  if (first === undefined || second === undefined) return undefined
  const sum = first + second
  return isInRange(sum) ? writeDecimal(sum) : undefined
}

function isInRange(units: bigint): boolean {
  return units <= LARGEST_DECIMAL && units >= SMALLEST
}
