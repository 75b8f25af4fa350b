import type { Gate } from '../../src/index.ts'
import { journalOf } from './journal.ts'
import { dataOf, type HoldpointData } from './part.ts'

/**
 * The side channel of hosts whose messages have no place for a receipt: what became of a call, by the host's own id of it. Of an id
 * that came up again, the newest call; the newest 1000 are remembered.
 *
 * @param gate the gate or view that the tools were guarded with
 */
export function reportOf(gate: Gate, callId: string): HoldpointData | undefined {
  const record = journalOf(gate).find(callId)
  return record === undefined ? undefined : dataOf(record)
}
