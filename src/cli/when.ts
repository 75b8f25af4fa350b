/** Reads points in time as people write them. */
import { UnusableInput } from './exit.ts'

const UNITS: ReadonlyMap<string, number> = new Map([
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])
const AGE = /^(\d{1,6})([mhd])$/
const DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?Z?)?$/

/**
 * ms since 1970 of an age (`30d`, `12h`, `15m` ago) or of a date in UTC (`2026-01-31`, `2026-01-31T08:00Z`).
 *
 * @throws UnusableInput
 */
export function whenOf(text: string, now: number): number {
  const [, count, unit = ''] = AGE.exec(text) ?? []
  if (count !== undefined) return now - Number(count) * (UNITS.get(unit) ?? 0)
  const at = DATE.test(text) ? Date.parse(text.includes('T') && !text.endsWith('Z') ? `${text}Z` : text) : Number.NaN
  if (!Number.isNaN(at)) return at
  throw new UnusableInput(`"${text}" is neither an age (30d, 12h, 15m) nor a date (2026-01-31, 2026-01-31T08:00Z)`)
}

/** A time of a receipt, for people: it may be any whole number of ms, and a calendar ends in the year 275760. */
export function dateOf(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? `no date (${ms} ms)` : date.toISOString()
}
