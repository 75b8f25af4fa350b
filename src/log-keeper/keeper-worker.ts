import { parentPort, workerData } from 'node:worker_threads'
import { LEASE_EVERY_MS, type LogBook } from '../store/log-book.ts'
import type { KeeperNews, KeeperOrder } from './messages.ts'
import { logSeat } from './place.ts'
import type { LogSetup } from './setup.ts'

/**
 * The thread that takes a store's log forward while its gate runs: off the decision path, one step after another. Of all
 * processes of a store one has the lease; the others try for it.
 */

const LONGEST_PAUSE_MS = 30_000

const setup = workerData as LogSetup
const port = parentPort
if (port === null) throw new Error('this module runs in a worker thread')

const seat = logSeat(setup)
let log: LogBook | undefined
let failures = 0
/** When to look next how far another process is, ms on the monotonic clock. */
let lookAt = 0
let isClosing = false
let wake = (): void => undefined

port.on('message', (order: KeeperOrder) => {
  if (order.do !== 'close') return
  isClosing = true
  wake()
})

function tell(news: KeeperNews): void {
  port?.postMessage(news)
}

/** @returns how long to rest before the next one, ms */
async function turn(): Promise<number> {
  try {
    if (log === undefined) {
      // The store's first process makes it.
      if (!(await seat.hasStore())) return LEASE_EVERY_MS
      log = await seat.take()
      if (log === undefined) {
        await lookOn()
        return LEASE_EVERY_MS
      }
      lookAt = 0
    }
    const { head, signed, quorum, witnesses, changed } = await log.step()
    failures = 0
    const size = head?.size ?? 0
    tell({ news: 'stepped', size, signedAt: head?.at, signed, quorum, witnesses, changed, receipts: await receipts() })
    return setup.everyMs
  } catch (cause) {
    failures += 1
    tell({ news: 'failed', why: cause instanceof Error ? cause.message : String(cause), receipts: await receipts() })
    await letGo()
    return Math.min(LONGEST_PAUSE_MS, setup.everyMs * 2 ** Math.min(failures - 1, 10))
  }
}

/** How far whoever has the lease is, as often as a step would be. */
async function lookOn(): Promise<void> {
  if (performance.now() < lookAt) return
  lookAt = performance.now() + setup.everyMs
  // Its holder says what is wrong with it.
  const size = await seat.published().catch(() => 0)
  tell({ news: 'waiting', size, receipts: await receipts() })
}

/** A number for whoever watches. That it cannot be had stops nothing. */
async function receipts(): Promise<number | undefined> {
  return await seat.receipts().catch(() => undefined)
}

/** What this process cannot do, another one may. */
async function letGo(): Promise<void> {
  const held = log
  log = undefined
  await held?.close().catch(() => undefined)
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    wake = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}

while (!isClosing) {
  const ms = await turn()
  if (!isClosing) await rest(ms)
}
await turn()
await letGo()
await seat.close().catch(() => undefined)
tell({ news: 'closed' })
port.close()
