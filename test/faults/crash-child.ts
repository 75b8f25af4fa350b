// A process that dies in the middle of one call, always at the same place: it holds a durable permit, has begun or not, and
// is gone before any outcome is written.
import path from 'node:path'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { testGate } from '../../src/testing.ts'

const [folder = '', moment = ''] = process.argv.slice(2)

const gate = testGate({
  store: createSqliteStore({ folder: path.join(folder, 'store') }),
  signer: loadOrCreateKey(path.join(folder, 'receipt.pem')),
})
gate.register([{ name: 'pay', origin: 'own' }])
const admission = await gate.as({ user: 'ada' }).admit({ tool: 'pay', input: {}, idempotencyKey: 'invoice 7' })
if (admission.outcome === 'refused') throw new Error(admission.refusal.code)
if (moment === 'begun') admission.begin()
process.kill(process.pid, 'SIGKILL')
