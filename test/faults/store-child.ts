import { appendFileSync, writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import { postgresStore } from '../../src/store/postgres/store.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { claim, decisionDraft, newChain, openDraft, outcomeDraft, SESSION } from '../support/receipt-drafts.ts'

/**
 * A process that claims call keys from a shared folder, or from PostgreSQL, and "executes" each by a line in a file.
 *
 * Every acknowledgement is on stdout before anything follows it, so whoever kills this process knows what it was promised.
 */
// Whoever is killed writes nothing down at its end: the next one finds what this one has compiled.
flushCompileCache()

const [folder = '', keys = '0', lanes = '1', connectionString] = process.argv.slice(2)

const signer = loadOrCreateKey(join(folder, 'receipt.pem'))
const store =
  connectionString === undefined
    ? createSqliteStore({ folder: join(folder, 'store'), busyMs: 10_000, deadlineMs: 20_000 })
    : postgresStore({ connectionString, deadlineMs: 20_000 })
const opening = await store.open()
const chain = newChain(store, { signer, deadlineMs: 20_000 })
const acknowledge = (hash: string) => writeSync(1, `${hash}\n`)

acknowledge((await chain.open(openDraft, opening.last)).hash)
for (const { decision, status } of opening.stranded) {
  const settled = await chain.append(
    { ...outcomeDraft(decision, status), recovered: true },
    { settles: { decision, status } },
  )
  acknowledge(settled.hash)
}

let next = 0
async function lane(): Promise<void> {
  while (next < Number(keys)) {
    const key = `key ${next}`
    next += 1
    const { receipt } = await chain.commit(
      decisionDraft({ call: signer.blind('call', key) }),
      claim(key, { session: { ...SESSION, amount: '1' } }),
    )
    if (receipt === undefined) continue
    acknowledge(receipt.hash)
    appendFileSync(join(folder, 'executed'), `${key}\n`)
    const settled = await chain.append(outcomeDraft(receipt.hash), {
      settles: { decision: receipt.hash, status: 'ok' },
    })
    acknowledge(settled.hash)
  }
}
await Promise.all(Array.from({ length: Number(lanes) }, lane))
await store.close()
