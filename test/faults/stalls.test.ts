/** I4 against the real event loop: a permit that came in time and is read too late runs nothing. */
import { Worker } from 'node:worker_threads'
import { afterAll, expect, it } from 'vitest'
import { testGate } from '../../src/testing.ts'

const STALLS = 1_000
const BUDGET_MS = 4
/** The answer is on its way 1 ms after the question, when the loop is blocked until well after the budget. */
const ANSWER_MS = 1
const BLOCKED_MS = 6

const worker = new Worker(
  `const { parentPort } = require('node:worker_threads')
   parentPort.on('message', (id) => setTimeout(() => parentPort.postMessage(id), ${ANSWER_MS}))`,
  { eval: true },
)
afterAll(async () => {
  await worker.terminate()
})

const waiting = new Map<number, () => void>()
worker.on('message', (id: number) => waiting.get(id)?.())

it(`I4: ${STALLS} stalls of the event loop, inside a timer and outside, let no late permit through`, async () => {
  let asked = 0
  const late = new Set<number>()
  const policy = async (): Promise<string> => {
    const id = asked
    asked += 1
    const askedAt = performance.now()
    const answered = new Promise<void>((resolve) => waiting.set(id, resolve))
    worker.postMessage(id)
    const stall = (): void => block(BLOCKED_MS)
    if (id % 2 === 0) setTimeout(stall, 1)
    else setImmediate(stall)
    await answered
    if (performance.now() - askedAt >= BUDGET_MS) late.add(id)
    return 'permit'
  }
  const gate = testGate({ policy, timeoutMs: BUDGET_MS })
  gate.register([{ name: 'pay', origin: 'own', inputSchema: { type: 'object' }, declared: { materiality: 'high' } }])
  const me = gate.as({ user: 'alice' })
  const [point = ''] = gate.health().points.map(({ id }) => id)
  const ran: number[] = []
  // On a busy machine some answers are read in time: those may run.
  while (late.size < STALLS) {
    const call = asked
    const result = await me.run({ tool: 'pay', callId: `${call}`, input: {} }, () => 'paid')
    if (result.outcome === 'ran') ran.push(call)
    // The breaker would spare the gate most of these.
    gate.isolate(point, 'the next stall')
    gate.release(point)
  }
  expect(ran.filter((call) => late.has(call))).toEqual([])
}, 120_000)

function block(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}
