import type { JsonObject } from '../types.ts'

/** Cedar's decimal: at most four places, and within a signed 64-bit count of ten-thousandths. */
const DECIMAL = /^-?(?:0|[1-9][0-9]{0,13})(?:\.[0-9]{1,4})?$/

/** The number as a decimal, exactly as it is written; nothing when no such decimal is equal to it. */
export function moneyFacts(value: number | string): JsonObject | undefined {
  const text = `${value}`
  if (!DECIMAL.test(text)) return undefined
  return { amount: text.includes('.') ? text : `${text}.0` }
}
