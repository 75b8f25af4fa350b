/**
 * Interleaved rounds: every contestant runs once in each round, each round in another order, so that a slow minute of the
 * machine falls on all of them. A contestant is opened anew for each round and warmed before the clock starts.
 */
import v8 from 'node:v8'
import { runInNewContext } from 'node:vm'

v8.setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

/**
 * @typedef {object} Contestant
 * @property {string} id
 * @property {string} name What the table calls it.
 * @property {number} inFlight How many calls are under way at once.
 * @property {number} calls Timed calls in one round.
 * @property {() => Promise<{call: (n: number) => unknown, close: () => unknown}>} open
 */

/**
 * Runs the contestants for so many rounds.
 * @param {readonly Contestant[]} contestants
 * @param {{rounds: number, report?: (line: string) => void}} settings
 * @returns {Promise<Map<string, {us: number[], cpuUs: number[]}>>} one figure per contestant and round: µs of wall clock
 *   and of processor time (all threads) for one call.
 */
export async function interleave(contestants, { rounds, report = () => {} }) {
  const figures = new Map(contestants.map(({ id }) => [id, { us: [], cpuUs: [] }]))
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < contestants.length; turn += 1) {
      const contestant = contestants[(turn + round) % contestants.length]
      const taken = await once(contestant)
      figures.get(contestant.id).us.push(taken.us)
      figures.get(contestant.id).cpuUs.push(taken.cpuUs)
    }
    report(`round ${round + 1} of ${rounds}`)
  }
  return figures
}

async function once({ open, inFlight, calls }) {
  const { call, close } = await open()
  try {
    // A server that has run for a second is what users have: code is compiled and caches are filled by then.
    const warm = Math.max(inFlight, Math.ceil(calls / 2))
    await run(call, { inFlight, from: 0, to: warm })
    collectGarbage()
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    await run(call, { inFlight, from: warm, to: warm + calls })
    const ms = performance.now() - startedAt
    const { user, system } = process.cpuUsage(cpu)
    return { us: (ms * 1000) / calls, cpuUs: (user + system) / calls }
  } finally {
    await close()
  }
}

/** Makes the calls `from` + 1 to `to`, so many at once. */
export async function run(call, { inFlight, from, to }) {
  let next = from
  const lane = async () => {
    while (next < to) {
      next += 1
      await call(next)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

/** Least, median and most of some figures. */
export function spread(figures) {
  const sorted = [...figures].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  return { min: sorted[0], median, max: sorted.at(-1) }
}

/** Round by round, one contestant's figure over another's: what the two did under the same weather. */
export function ratios(numerators, denominators) {
  return spread(numerators.map((figure, round) => figure / denominators[round]))
}
