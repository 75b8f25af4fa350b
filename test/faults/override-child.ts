import { createSqliteStore } from '../../src/store/sqlite.ts'
import { claim, decisionDraft, openedChain } from '../support/receipt-drafts.ts'

/** A process that makes calls under one override, many at a time, and prints which use each of them had. */
const [folder = '', name = '', calls = '0', most = '0'] = process.argv.slice(2)

const store = createSqliteStore({ folder, busyMs: 10_000, deadlineMs: 20_000 })
await store.open()
const chain = await openedChain(store, { deadlineMs: 20_000 })
const override = { id: 'ov_raced', most: Number(most) }
await Promise.all(
  Array.from({ length: Number(calls) }, async (_, n) => {
    const { committed } = await chain.commit(decisionDraft(), claim(`${name} ${n}`, { override }))
    process.stdout.write(committed.outcome === 'claimed' ? `${committed.use}\n` : `${committed.outcome}\n`)
  }),
)
await store.close()
