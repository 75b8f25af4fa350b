import type { Json } from '../types.ts'

const PLACES = 10_000

/**
 * What a call would spend, as policies sum it: the number at `/amount`, rounded up to four decimal places.
 *
 * A negative amount spends nothing and gives nothing back: a refund of a refund must not widen a budget.
 */
export function spentBy(input: Json | undefined): string | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined
  const amount = (input as { readonly amount?: Json }).amount
  if (typeof amount !== 'number' || amount <= 0) return undefined
  const units = Math.ceil(amount * PLACES - 1e-6)
  return Number.isSafeInteger(units) ? (units / PLACES).toFixed(4) : undefined
}
