/** The heap over many durable calls: it must not grow with their number. */
import v8 from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openGatedCall } from './gated.mjs'

v8.setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

const IN_FLIGHT = 64

/**
 * A million gated calls through the durable store, in one process.
 * @returns {Promise<{calls: number, heapMb: number, rssMb: number, seconds: number}[]>} after each hundred thousand, with
 *   garbage collected
 */
export async function heapOverAMillionCalls({ report, calls = 1_000_000, every = 100_000 }) {
  const { call, close } = await openGatedCall('durable')
  const marks = []
  const startedAt = performance.now()
  let next = 0
  for (let mark = 0; mark <= calls; mark += every) {
    const lane = async () => {
      while (next < mark) {
        next += 1
        await call(next)
      }
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
    collectGarbage()
    const { heapUsed, rss, external } = process.memoryUsage()
    const taken = { calls: next, heapMb: mb(heapUsed), externalMb: mb(external), rssMb: mb(rss) }
    marks.push({ ...taken, seconds: Math.round((performance.now() - startedAt) / 1000) })
    report(`bench: ${JSON.stringify(marks.at(-1))}`)
  }
  await close()
  return marks
}

function mb(bytes) {
  return Math.round((bytes / 1e6) * 10) / 10
}
