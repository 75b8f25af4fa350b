import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { Job, Reply, WorkerSetup } from './sqlite-messages.ts'
import { Desk, Shelf } from './sqlite-shelf.ts'
import { SlotBook } from './sqlite-slot.ts'

/**
 * The thread that owns the database files: a synced commit takes milliseconds that the event loop does not have.
 *
 * Group commit is in the loop below: whatever has arrived while the last transaction was being synced goes into the next.
 */

/** Most jobs in one transaction, so that the first of them is not kept waiting for the last. */
const MOST_JOBS = 512
/** How long `claims.db` may go without hearing of outcomes when no decision comes along to carry them. */
const TELL_AFTER_MS = 20

const setup = workerData as WorkerSetup
const port = parentPort
if (port === null) throw new Error('this module runs in a worker thread')

const slot = setup.role === 'slot' ? new SlotBook(setup.folder, setup.busyMs) : undefined
const book = slot ?? (setup.role === 'desk' ? new Desk(setup.folder, setup.busyMs) : new Shelf(setup.folder))
let telling: ReturnType<typeof setTimeout> | undefined

port.on('message', (first: readonly Job[]) => {
  const jobs = [...first]
  while (jobs.length < MOST_JOBS) {
    const more = receiveMessageOnPort(port)
    if (more === undefined) break
    jobs.push(...(more.message as readonly Job[]))
  }
  const replies: readonly Reply[] = book.run(jobs)
  port.postMessage(replies)
  tellSoon()
})

function tellSoon(): void {
  if (slot === undefined || !slot.owes || telling !== undefined) return
  telling = setTimeout(() => {
    telling = undefined
    slot.tell()
    tellSoon()
  }, TELL_AFTER_MS)
}
