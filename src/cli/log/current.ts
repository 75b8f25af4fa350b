import type { LogSetup } from '../../log-keeper/setup.ts'
import { UnusableInput } from '../exit.ts'
import { awaited } from './checkpoint.ts'
import { stepped } from './stepped.ts'

/**
 * Sees that a store's log has all receipts that are there now: takes it forward, or waits for the gate that does.
 *
 * @throws UnusableInput where that gate does not; HoldpointError ERR_LOG where the log cannot go on, ERR_KEY, ERR_STORE
 */
export async function bringUpToDate(setup: LogSetup): Promise<void> {
  if ((await stepped(setup)) !== undefined) return
  const { isCurrent } = await awaited(setup)
  if (!isCurrent) throw new UnusableInput('a running gate keeps the log, and does not take it forward')
}
