// A process that takes a log forward and kills itself with SIGKILL at the KILL_AT-th change of the disk or the index. What it
// signed it writes down before anybody else can know of it.
import { appendFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import path from 'node:path'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { readCheckpoint } from '../../src/log/checkpoint.ts'
import { noteSigner } from '../support/log-keys.ts'
import { logParts, MadeUpReceipts, type Trouble, troubledDisk, troubledLedger } from '../support/log-parts.ts'

// Whoever is killed writes nothing down at its end: the next life finds what this one has compiled.
flushCompileCache()

const folder = process.env['KILL_FOLDER'] ?? ''
const killAt = Number(process.env['KILL_AT'] ?? 0)
const receipts = new MadeUpReceipts(Number(process.env['KILL_RECEIPTS'] ?? 0))

let changes = 0
/** Every third of them is cut off in the middle. */
function at(): Trouble | undefined {
  changes += 1
  if (changes === killAt) process.kill(process.pid, 'SIGKILL')
  return changes === killAt - 1 && killAt % 3 === 0 ? 'half' : undefined
}

const own = noteSigner('example.com/log', 'ed25519')
const signer = {
  key: own.key,
  sign: (text: string) => {
    const { size, root } = readCheckpoint(sha256Bytes, text)
    appendFileSync(path.join(folder, 'signed.txt'), `${size} ${Buffer.from(root).toString('hex')}\n`)
    return own.sign(text)
  },
}
const parts = logParts(folder, receipts, signer, {
  disk: troubledDisk(at),
  ledger: (ledger) => troubledLedger(ledger, at),
})
for (;;) {
  await parts.sequencer.step().catch(() => undefined)
  receipts.count += 20
}
