// A process that lives to be killed: it makes gated calls over a SQLite store and kills itself with SIGKILL at the
// KILL_AT-th point of the pass. What it was told, it writes down before it goes on, with O_APPEND, so that its notes survive.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import path from 'node:path'
import { createGate } from '../../src/create-gate.ts'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import type { Gate, Receipt } from '../../src/types.ts'
import { hookedStore } from '../support/hooked-store.ts'
import { PERMIT, scriptedPoint } from '../support/scripted-point.ts'

// Whoever is killed writes nothing down at its end: the next life finds what this one has compiled.
flushCompileCache()

const folder = process.env['KILL_FOLDER'] ?? ''
const round = process.env['KILL_ROUND'] ?? '0'
const killAt = Number(process.env['KILL_AT'] ?? 0)
/** New calls of this life; without a number, as many as it takes to be killed. */
const most = Number(process.env['KILL_CALLS'] ?? Number.POSITIVE_INFINITY)
const IN_FLIGHT = 3

let points = 0
/** Points count from the first one of this life, or from the first new call: both the recovery and the pass get their kills. */
let counts = process.env['KILL_FROM'] !== 'new calls'
const journal = path.join(folder, 'journal.txt')

/** One step of the pass. The killed process does not come back from it. */
function at(_point: string): void {
  if (counts) points += 1
  if (points === killAt) process.kill(process.pid, 'SIGKILL')
}

function note(kind: string, value: string): void {
  appendFileSync(journal, `${kind} ${value}\n`)
}

function acknowledge(receipt: Receipt | undefined): void {
  if (receipt !== undefined) note('receipt', receipt.hash)
}

const gate = createGate({
  config: false,
  server: 'test',
  tools: { act: { materiality: 'high' } },
  policy: scriptedPoint(async () => {
    at('policy asked')
    await new Promise((resolve) => setImmediate(resolve))
    at('policy answers')
    return PERMIT
  }),
  effects: {
    store: hookedStore(createSqliteStore({ folder: path.join(folder, 'store') }), at),
    signer: loadOrCreateKey(path.join(folder, 'receipt.jwk')),
  },
})
gate.register([{ name: 'act', origin: 'own' }])
const me = gate.as({ user: 'alice' }, { conversation: 'c1' })

/** One whole call, told apart at every await. */
async function makeCall(view: Gate, id: string): Promise<void> {
  const admission = await view.admit({ tool: 'act', input: { id }, idempotencyKey: id })
  acknowledge(admission.receipt)
  at('admitted')
  if (admission.outcome === 'refused') return note('refused', `${id} ${admission.refusal.code}`)
  const begun = admission.begin()
  at('begun')
  if (begun.outcome === 'refused') return note('refused', `${id} ${begun.refusal.code}`)
  await new Promise((resolve) => setImmediate(resolve))
  at('about to act')
  note('ran', id)
  at('acted')
  await new Promise((resolve) => setImmediate(resolve))
  acknowledge(await admission.settle({ status: 'ok', result: id }))
  at('settled')
}

/** Everything that earlier lives were asked to do, asked again; then new calls. */
function* agenda(): Generator<string> {
  const lines = existsSync(journal) ? readFileSync(journal, 'utf8').split('\n') : []
  yield* new Set(lines.filter((line) => line.startsWith('asked ')).map((line) => line.slice('asked '.length)))
  counts = true
  for (let index = 0; index < most; index += 1) {
    const id = `r${round}-${index}`
    note('asked', id)
    yield id
  }
}

const work = agenda()
await Promise.all(
  Array.from({ length: IN_FLIGHT }, async () => {
    for (const id of work) await makeCall(me, id)
  }),
)
await gate.close()
