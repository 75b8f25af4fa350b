/** Cedar's `decimal`: a 64-bit integer count of ten-thousandths. Everything here is exact. */
const PLACES = 4
const LARGEST = 2n ** 63n - 1n
const SMALLEST = -(2n ** 63n)
const TEXT = /^(-?)(\d{1,15})(?:\.(\d{1,4}))?$/

/** A number as Cedar decimal text (`500` → `500.0`), or `undefined` when Cedar cannot hold it: over 4 places, out of range. */
export function decimalText(number: number): string | undefined {
  return decimalOf(String(number))
}

/** Decimal text in the one form that Cedar reads, or `undefined` when it is not a decimal that Cedar can hold. */
export function decimalOf(text: string): string | undefined {
  const units = unitsOf(text)
  if (units === undefined) return undefined
  return text.includes('.') ? text : `${text}.0`
}

/** Sum of two decimal texts, or `undefined` when one is not a decimal or the sum is out of range. */
export function addDecimals(one: string, other: string): string | undefined {
  const [first, second] = [unitsOf(one), unitsOf(other)]
  if (first === undefined || second === undefined) return undefined
  return textOf(first + second)
}

/** Ten-thousandths. */
function unitsOf(text: string): bigint | undefined {
  const [, sign, whole = '', fraction = ''] = TEXT.exec(text) ?? []
  if (sign === undefined) return undefined
  const size = BigInt(whole + fraction.padEnd(PLACES, '0'))
  const units = sign === '-' ? -size : size
  return units > LARGEST || units < SMALLEST ? undefined : units
}

function textOf(units: bigint): string | undefined {
  if (units > LARGEST || units < SMALLEST) return undefined
  const digits = (units < 0n ? -units : units).toString().padStart(PLACES + 1, '0')
  return `${units < 0n ? '-' : ''}${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}`
}
