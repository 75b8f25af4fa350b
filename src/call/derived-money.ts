import { decimalText } from '../bytes/decimal.ts'
import type { JsonObject } from '../types.ts'

/** `007`: some readers take it for octal. */
const LEADING_ZERO = /^-?0\d/

/** The number as a decimal, exactly as it is written; nothing when no such decimal is equal to it. */
export function moneyFacts(value: number | string): JsonObject | undefined {
  const amount = LEADING_ZERO.test(String(value)) ? undefined : decimalText(value)
  return amount === undefined ? undefined : { amount }
}
