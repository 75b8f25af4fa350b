import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { answerBy, requestWith } from '../support/approvals.ts'
import { claim, collect, decisionDraft, openedChain, refusedDraft } from '../support/receipt-drafts.ts'
import { describeStore } from '../support/store-conformance.ts'

describeStore('memory', { make: (now) => createMemoryStore({ now }) })

describe('memory store, beyond the port', () => {
  it('says that it is not durable', async () => {
    expect(await createMemoryStore().open()).toEqual({ durable: false, place: 'memory', stranded: [] })
  })

  it('I2: drops the oldest receipts beyond its bound, and no call key', async () => {
    const store = createMemoryStore({ keep: 10 })
    const chain = await openedChain(store)
    const { receipt } = await chain.commit(decisionDraft(), claim('first'), { salt: 's', request: '{}' })
    for (let n = 0; n < 15; n += 1) await chain.commit(decisionDraft(), claim(`key ${n}`))
    for (let n = 0; n < 15; n += 1) await chain.append(refusedDraft())
    expect(await collect(store.receipts())).toHaveLength(10)
    expect(await store.sidecar(receipt?.hash ?? '')).toBeUndefined()
    expect((await chain.commit(decisionDraft(), claim('first'))).committed.outcome).toBe('taken')
  })

  it('forgets the oldest requests of a flood, and a forgotten yes runs nothing', async () => {
    const store = createMemoryStore()
    const chain = await openedChain(store)
    const ask = (ref: string) =>
      store.request(
        requestWith({
          ref,
          requestDigest: `digest of ${ref}`,
          requires: 'confirmation',
          tool: 'shop/refund',
          materiality: 'high',
          principal: { type: 'user', id: 'alice' },
          argumentsText: '{}',
          because: '',
          createdAt: Date.now(),
          expiresAt: Date.now() + 60_000,
        }),
      )
    await ask('hp_first')
    await store.answer('hp_first', answerBy('alice'))
    for (let n = 0; n < 10_000; n += 1) await ask(`hp_${n}`)
    expect(await store.pending()).toHaveLength(10_000)
    expect(await store.get('hp_first')).toBeUndefined()
    expect((await chain.commit(decisionDraft(), claim('k', { approval: 'hp_first' }))).committed).toEqual({
      outcome: 'approval_spent',
    })
  })

  it('bounds the text it keeps of large requests and of large calls, oldest first', async () => {
    const store = createMemoryStore()
    const chain = await openedChain(store)
    const large = 'x'.repeat(1_000_000)
    const hashes: string[] = []
    for (let n = 0; n < 70; n += 1) {
      const { receipt } = await chain.commit(decisionDraft(), claim(`k${n}`), { salt: 's', request: large })
      hashes.push(receipt?.hash ?? '')
      await store.request(
        requestWith({
          ref: `hp_${n}`,
          requestDigest: `digest ${n}`,
          requires: 'confirmation',
          tool: 'shop/refund',
          materiality: 'high',
          principal: { type: 'user', id: 'alice' },
          argumentsText: large,
          because: '',
          createdAt: Date.now(),
          expiresAt: Date.now() + 60_000,
        }),
      )
    }
    expect(await store.sidecar(hashes[0] ?? '')).toBeUndefined()
    expect(await store.sidecar(hashes.at(-1) ?? '')).toBeDefined()
    const pending = (await store.pending()).map(({ ref }) => ref)
    expect(pending.length).toBeLessThan(70)
    expect(pending.at(-1)).toBe('hp_69')
    // INVARIANT I2: what is dropped is text, never a spent key.
    expect((await chain.commit(decisionDraft(), claim('k0'))).committed.outcome).toBe('taken')
  })
})
