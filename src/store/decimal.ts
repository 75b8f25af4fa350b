const PLACES = 4
const SHAPE = /^(-?)(\d{1,15})(?:\.(\d{1,4}))?$/

/** Reads a decimal with at most four places as an integer of ten-thousandths; `undefined` for any other text. */
export function readDecimal(text: string): bigint | undefined {
  const match = SHAPE.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '0', fraction = ''] = match
  const units = BigInt(whole + fraction.padEnd(PLACES, '0'))
  return sign === '-' ? -units : units
}

/** Writes ten-thousandths as a decimal: one to four places, the form that Cedar's `decimal` reads. */
export function writeDecimal(units: bigint): string {
  const digits = (units < 0n ? -units : units).toString().padStart(PLACES + 1, '0')
  const fraction = digits.slice(-PLACES).replace(/0{1,3}$/, '')
  return `${units < 0n ? '-' : ''}${digits.slice(0, -PLACES)}.${fraction}`
}
