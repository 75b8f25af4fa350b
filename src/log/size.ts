/**
 * Sizes of trees and indices of leaves are numbers up to 2^53 - 1, here and in everything that is read or written.
 *
 * C2SP allows 64 bits. A log that takes a million receipts a second needs 285 years to get beyond 53; until then a `bigint`
 * would only make every reader convert. What is larger is refused, never rounded. Bit operators see 32 bits, so this room
 * divides.
 */
export const MOST_LEAVES = Number.MAX_SAFE_INTEGER
/** The largest tree is 53 levels high, and a consistency proof has one hash more; C2SP tlog-witness takes 63. */
export const MOST_PROOF_HASHES = 63

const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/

/** Is this the size of a tree that we take? */
export function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** A size or an index in ASCII decimal without leading zeroes; `undefined` for any other text, and beyond 2^53 - 1. */
export function readSize(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined
  const size = Number(text)
  return isSize(size) ? size : undefined
}

export function isOdd(value: number): boolean {
  return value % 2 === 1
}

/** A shift to the right by one. */
export function half(value: number): number {
  return Math.floor(value / 2)
}

/** The smallest power of two that is not below `value`, for `value` from 1. */
export function powerFrom(value: number): number {
  let power = 1
  while (power < value) power *= 2
  return power
}
