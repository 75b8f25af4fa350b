import type { StepReport } from '../../log/sequencer.ts'
import { logSeat } from '../../log-keeper/place.ts'
import type { LogSetup } from '../../log-keeper/setup.ts'

/**
 * Takes a store's log as far as its receipts go; `undefined` while somebody else does that.
 *
 * @throws HoldpointError ERR_LOG where the log cannot go on, ERR_KEY, ERR_STORE
 */
export async function stepped(setup: LogSetup): Promise<StepReport | undefined> {
  const seat = logSeat(setup)
  try {
    const log = await seat.take()
    try {
      return await log?.step()
    } finally {
      await log?.close()
    }
  } finally {
    await seat.close()
  }
}
