import { LARGEST_DECIMAL, writeDecimal } from '../bytes/decimal.ts'
import type { Json } from '../types.ts'

const PLACES = 10_000

/**
 * What a call would spend, as policies sum it: the number at `/amount`, rounded up to four decimal places.
 *
 * A negative amount spends nothing and gives nothing back: a refund of a refund must not widen a budget. One that is larger than
 * any sum counts as the largest there is, so that from then on the sum fits no decimal and no rule on it permits.
 */
export function spentBy(input: Json | undefined): string | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined
  const amount = (input as { readonly amount?: Json }).amount
  if (typeof amount !== 'number' || amount <= 0) return undefined
  const units = unitsOf(amount)
  return writeDecimal(units < LARGEST_DECIMAL ? units : LARGEST_DECIMAL)
}

/** Ten-thousandths. What is beyond exact arithmetic of numbers is counted in two parts, each of which is exact. */
function unitsOf(amount: number): bigint {
  const units = Math.ceil(amount * PLACES - 1e-6)
  if (Number.isSafeInteger(units)) return BigInt(units)
  const whole = Math.trunc(amount)
  return BigInt(whole) * BigInt(PLACES) + BigInt(Math.ceil((amount - whole) * PLACES))
}
