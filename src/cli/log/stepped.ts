import type { StepReport } from '../../log/sequencer.ts'
import { logTerms } from '../../log-keeper/open.ts'
import type { LogSetup } from '../../log-keeper/setup.ts'
import { openLog } from '../../store/log-book.ts'
import { tryLease } from '../../store/log-lease.ts'

/**
 * Takes a store's log as far as its receipts go; `undefined` while somebody else does that.
 *
 * @throws HoldpointError ERR_LOG where the log cannot go on, ERR_KEY, ERR_STORE
 */
export async function stepped(setup: LogSetup): Promise<StepReport | undefined> {
  const lease = tryLease(setup.storeFolder)
  if (lease === undefined) return undefined
  const log = await openLog(setup.storeFolder, { ...logTerms(setup), lease })
  try {
    return await log.step()
  } finally {
    await log.close()
  }
}
