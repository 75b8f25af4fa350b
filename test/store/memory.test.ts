import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { claim, collect, decisionDraft, openedChain, refusedDraft } from '../support/receipt-drafts.ts'
import { describeStore } from '../support/store-conformance.ts'

describeStore('memory', { make: (now) => createMemoryStore({ now }) })

describe('memory store, beyond the port', () => {
  it('says that it is not durable', async () => {
    expect(await createMemoryStore().open()).toEqual({ durable: false, place: 'memory', stranded: [] })
  })

  it('drops the oldest receipts beyond its bound, and no claim', async () => {
    const store = createMemoryStore({ keep: 10 })
    const chain = await openedChain(store)
    await chain.commit(decisionDraft(), claim('first'), { salt: 's', request: '{}' })
    for (let n = 0; n < 30; n += 1) await chain.append(refusedDraft())
    expect(await collect(store.receipts())).toHaveLength(10)
    expect((await chain.commit(decisionDraft(), claim('first'))).committed.outcome).toBe('taken')
  })
})
