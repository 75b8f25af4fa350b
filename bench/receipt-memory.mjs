/** `npm run bench -- --receipts-memory`: what a verifier, and a gate, hold on to over a million receipts. */
import v8 from 'node:v8'
import { runInNewContext } from 'node:vm'
import { generateSigner } from '../dist/src/receipt/sign.js'
import { verifyReceipts } from '../dist/src/verify.js'
import { heapOverAMillionCalls } from './heap.mjs'
import { handingStore, openCalls } from './made-receipts.mjs'
import { markdown } from './report.mjs'

v8.setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

const MARKS = 10

/** @param {{receipts: number, of: 'both' | 'verifier', report: (line: string) => void}} settings */
export async function memoryOverReceipts({ receipts, of, report }) {
  const verifier = await memoryOfVerifier(receipts, report)
  if (of === 'verifier') return { verifier }
  const calls = Math.ceil(receipts / 2)
  const gate = await heapOverAMillionCalls({ report, calls, every: Math.ceil(calls / MARKS) })
  return { verifier, gate: gate.map(({ calls: made, ...mark }) => ({ receipts: made * 2, ...mark })) }
}

/** Verifies receipts that are made while it asks for them, so that nobody else holds them. */
async function memoryOfVerifier(receipts, report) {
  const signer = generateSigner()
  const marks = []
  const startedAt = performance.now()
  const mark = (count) => {
    collectGarbage()
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
    const seconds = Math.round((performance.now() - startedAt) / 1_000)
    marks.push({ receipts: count, heapMb: mb(heapUsed), buffersMb: mb(arrayBuffers), rssMb: mb(rss), seconds })
    report(`verifier: ${JSON.stringify(marks.at(-1))}`)
  }
  const made = async function* () {
    let waiting = []
    const { call } = await openCalls(
      handingStore((jws) => waiting.push(jws)),
      signer,
    )
    const every = Math.ceil(receipts / MARKS)
    let count = 0
    for (let n = 0; count < receipts; n += 1) {
      if (n > 0) await call(n)
      for (const jws of waiting) {
        if (count % every === 0) mark(count)
        count += 1
        yield jws
      }
      waiting = []
    }
    mark(count)
  }
  const { ok, count, verified } = await verifyReceipts(made(), { keys: [signer.publicJwk] })
  if (!ok || verified !== count) throw new Error('the receipts do not verify')
  return marks
}

export function receiptMemoryTable({ verifier, gate }) {
  const rows = verifier.map((mark, at) => [
    mark.receipts.toLocaleString('en'),
    mark.heapMb,
    mark.buffersMb,
    mark.rssMb,
    ...(gate === undefined ? [] : [gate[at]?.heapMb ?? '', gate[at]?.rssMb ?? '']),
  ])
  const head = ['receipts', 'verifier: heap MB', 'buffers MB', 'resident MB']
  const more = gate === undefined ? [] : ['gate: heap MB', 'resident MB']
  return markdown([[...head, ...more], [...head, ...more].map(() => '--:'), ...rows])
}

function mb(bytes) {
  return Math.round((bytes / 1e6) * 10) / 10
}
