/**
 * What any durable store must pay for one call: two durable writes, one after the other, from a worker that commits in
 * groups. The same rows and bytes as the gate writes (a decision with its claim and sidecar, then an outcome that ends the
 * claim), over the same two files, without a gate, without signatures and without checks.
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
  let lastId = 0
  worker.on('message', (ids) => {
    for (const id of ids) {
      waiting.get(id)()
      waiting.delete(id)
    }
  })
  worker.on('error', (error) => {
    throw error
  })

  function write(row) {
    lastId += 1
    const { promise, resolve } = Promise.withResolvers()
    waiting.set(lastId, resolve)
    worker.postMessage({ id: lastId, ...row })
    return promise
  }

  // Not the same text each time, as long as the real one: what V8 copies between threads and SQLite writes.
  const filler = 'x'.repeat(Math.max(sizes.decision, sizes.outcome, sizes.request))
  const text = (mark, length) => (mark + filler).slice(0, length)
  const digest = (mark) => text(mark, 43)

  async function call(n) {
    const callKey = digest(`key-${n}-`)
    await write({
      hash: digest(`decision-${n}-`),
      jws: text(`decision-${n}-`, sizes.decision),
      sidecar: { salt: digest(`salt-${n}-`), request: text(`request-${n}-`, sizes.request) },
      claim: { callKey, digest: digest(`input-${n}-`) },
    })
    await write({
      hash: digest(`outcome-${n}-`),
      jws: text(`outcome-${n}-`, sizes.outcome),
      settles: { callKey, status: 'ok' },
    })
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
