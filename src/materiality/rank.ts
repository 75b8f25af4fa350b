import type { Materiality } from '../types.ts'

const RANK: Readonly<Record<Materiality, number>> = { low: 0, medium: 1, high: 2 }

/** Is the first tier above the second? */
export function outranks(one: Materiality, other: Materiality): boolean {
  return RANK[one] > RANK[other]
}
