// A gate that keeps a log among others of its store, until it is killed or its stdin ends. It writes down what it was told, with
// O_APPEND, so that its notes survive it: receipts that were acknowledged, and checkpoints that its thread has signed.
import { appendFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import path from 'node:path'
import { createGate } from '../../src/create-gate.ts'

// Whoever is killed writes nothing down at its end: the next one finds what this one has compiled.
flushCompileCache()

const folder = process.env['LOG_FOLDER'] ?? ''
const note = (file: string, line: string): void => appendFileSync(path.join(folder, file), `${line}\n`)

const gate = createGate({
  config: false,
  store: { folder: path.join(folder, 'store') },
  keyFile: path.join(folder, 'keys', 'receipt.pem'),
  log: { everyMs: 50 },
  policy: () => 'permit',
  tools: { act: { materiality: 'low' } },
  events: [
    (event) => {
      if (event.event === 'checkpoint-signed') note('signed', `${process.pid} ${event.size} ${Date.now()}`)
      if (event.event === 'log-stalled') note('stalled', `${process.pid} ${event.because}`)
    },
  ],
})
gate.register([{ name: 'act', origin: 'own' }])
const me = gate.as({ user: 'alice' })

let isEnding = false
process.stdin.on('end', () => {
  isEnding = true
})
process.stdin.resume()
await gate.ready()
note('ready', String(process.pid))
while (!isEnding) {
  const { receipts } = await me.run({ tool: 'act', input: {} }, () => 'done')
  for (const { hash } of receipts) note('acknowledged', hash)
  await new Promise((resolve) => setTimeout(resolve, 30))
}
await gate.close()
