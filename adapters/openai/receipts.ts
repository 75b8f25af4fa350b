import type { Gate } from '../../src/index.ts'
import { reportOf } from '../shared/report-of.ts'

/** The API's limits on `metadata`. */
const MOST_PAIRS = 16
const LONGEST_KEY = 64
const LONGEST_VALUE = 512

/**
 * What became of calls as `metadata` of the next request: by `holdpoint.<call id>` the outcome and the ids of its receipts. Whoever
 * reads the provider's log finds the receipts by them; no model is shown it. The newest sixteen, less what an app has of its own.
 *
 * @param callIds in the order in which the calls were made
 * @param room how many pairs the app leaves us
 */
export function receiptMetadata(
  gate: Gate,
  callIds: readonly string[],
  room: number = MOST_PAIRS,
): Readonly<Record<string, string>> {
  const told = callIds.flatMap((callId): readonly (readonly [string, string])[] => {
    const report = reportOf(gate, callId)
    if (report === undefined) return []
    const ids = report.receipts.map(({ id }) => id)
    return [[`holdpoint.${callId}`.slice(0, LONGEST_KEY), [report.outcome, ...ids].join(' ').slice(0, LONGEST_VALUE)]]
  })
  const kept = Math.min(room, MOST_PAIRS)
  return Object.fromEntries(kept <= 0 ? [] : told.slice(-kept))
}
