/**
 * What any durable store must pay for one call: two durable writes, one after the other, from a worker that commits in
 * groups. The same rows and bytes as the gate leaves behind (a decision with its claim and sidecar, then an outcome that
 * ends the claim), in the same two files and the same transactions, without a gate, without signatures and without checks.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Worker } from 'node:worker_threads'

/**
 * @param {{decision: number, outcome: number, request: number}} sizes Characters of the JWS of each receipt and of the
 *   evaluation request beside the decision.
 */
export async function openGroupCommit(sizes) {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-group-commit-'))
  const worker = new Worker(new URL('./group-commit-worker.mjs', import.meta.url), { workerData: { folder } })
  const waiting = new Map()
  let outbox = []
  let seq = 0
  worker.on('message', (ids) => {
    for (const id of ids) {
      waiting.get(id)()
      waiting.delete(id)
    }
  })

  /** Writes of one turn travel in one message. */
  function write(kind, name, length, beside) {
    seq += 1
    const { promise, resolve } = Promise.withResolvers()
    waiting.set(seq, resolve)
    if (outbox.length === 0) queueMicrotask(send)
    const place = { stream: text('stream', 22), seq, prev: text(`${seq - 1}-`, 43) }
    const receipt = { ref: text(`r_${seq}-`, 28), hash: text(`${seq}-`, 43), ...place, kind, jws: text(name, length) }
    outbox.push({ id: seq, receipt, ...beside })
    return promise
  }

  function send() {
    worker.postMessage(outbox)
    outbox = []
  }

  // As long as the real one and never the same: what V8 copies between threads and SQLite writes.
  const filler = 'x'.repeat(Math.max(43, sizes.decision, sizes.outcome, sizes.request))
  const text = (mark, length) => (mark + filler).slice(0, length)

  async function call(n) {
    const callKey = text(`key-${n}-`, 43)
    const session = { session: text('session', 43), tool: 'shop/refund', amount: '101.5' }
    await write('decision', `decision-${n}-`, sizes.decision, {
      sidecar: { salt: text(`salt-${n}-`, 22), request: text(`request-${n}-`, sizes.request) },
      claim: { callKey, inputDigest: text(`input-${n}-`, 43), ...session },
    })
    await write('outcome', `outcome-${n}-`, sizes.outcome, { settles: { callKey, status: 'ok' } })
  }

  async function close() {
    const { promise, resolve } = Promise.withResolvers()
    worker.once('exit', resolve)
    worker.postMessage('close')
    await promise
    await rm(folder, { recursive: true, force: true })
  }

  return { call, close }
}
