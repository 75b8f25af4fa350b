import { parentPort, workerData } from 'node:worker_threads'
import type { LogHandle } from '../store/log-book.ts'
import { LEASE_EVERY_MS, openLog } from '../store/log-book.ts'
import { tryLease } from '../store/log-lease.ts'
import { openLogReader } from '../store/log-reader.ts'
import { receiptCount } from '../store/log-source.ts'
import { hasStore } from '../store/sqlite-reader.ts'
import type { KeeperNews, KeeperOrder } from './messages.ts'
import { logTerms } from './open.ts'
import type { LogSetup } from './setup.ts'

/**
 * The thread that takes a store's log forward while its gate runs: off the decision path, one step after another. Of all
 * processes of a store one has the lease; the others try for it.
 */

const LONGEST_PAUSE_MS = 30_000

const setup = workerData as LogSetup
const port = parentPort
if (port === null) throw new Error('this module runs in a worker thread')

const terms = logTerms(setup)
let log: LogHandle | undefined
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
  // The store's first process makes it.
  if (!hasStore(setup.storeFolder)) return LEASE_EVERY_MS
  try {
    if (log === undefined) {
      const lease = tryLease(setup.storeFolder)
      if (lease === undefined) {
        await lookOn()
        return LEASE_EVERY_MS
      }
      lookAt = 0
      log = await openLog(setup.storeFolder, { ...terms, lease })
    }
    const { head, signed, quorum, witnesses, changed } = await log.step()
    failures = 0
    const size = head?.size ?? 0
    tell({ news: 'stepped', size, signedAt: head?.at, signed, quorum, witnesses, changed, receipts: receipts() })
    return setup.everyMs
  } catch (cause) {
    failures += 1
    tell({ news: 'failed', why: cause instanceof Error ? cause.message : String(cause), receipts: receipts() })
    await letGo()
    return Math.min(LONGEST_PAUSE_MS, setup.everyMs * 2 ** Math.min(failures - 1, 10))
  }
}

/** How far whoever has the lease is, as often as a step would be. */
async function lookOn(): Promise<void> {
  if (performance.now() < lookAt) return
  lookAt = performance.now() + setup.everyMs
  // Its holder says what is wrong with it.
  const head = await openLogReader(setup.storeFolder)
    .head()
    .catch(() => undefined)
  tell({ news: 'waiting', size: head?.size ?? 0, receipts: receipts() })
}

/** A number for whoever watches. That it cannot be had stops nothing. */
function receipts(): number | undefined {
  try {
    return receiptCount(setup.storeFolder)
  } catch {
    return undefined
  }
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
tell({ news: 'closed' })
port.close()
