import { describe, expect, it } from 'vitest'
import { faultStore, type StoreFault } from '../../src/store/fault.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { claim, collect, decisionDraft, openedChain, refusedDraft } from '../support/receipt-drafts.ts'
import { describeStore } from '../support/store-conformance.ts'

describeStore('fault (with no fault)', { make: (now) => faultStore(createMemoryStore({ now }), () => 'none') })

describe('a store that fails as told', () => {
  const withFault = async (fault: StoreFault) => {
    const inner = createMemoryStore()
    let armed = false
    const store = faultStore(inner, ({ operation }) => (armed && operation === 'commitDecision' ? fault : 'none'))
    const chain = await openedChain(store, { deadlineMs: 10 })
    armed = true
    const told = await chain.commit(decisionDraft(), claim('key')).catch((error: unknown) => error)
    armed = false
    return { chain, told, held: await inner.holder('key'), inner }
  }

  for (const [fault, isHeld] of [
    ['fail', false],
    ['hang', false],
    ['fail_but_persist', true],
    ['hang_but_persist', true],
  ] as const) {
    it(`${fault}: the caller learns that nobody knows, and the chain goes on`, async () => {
      const { chain, told, held, inner } = await withFault(fault)
      expect(told).toMatchObject({ code: 'ERR_STORE' })
      expect(held !== undefined).toBe(isHeld)
      const next = await chain.append(refusedDraft())
      expect(new Set((await collect(inner.receipts())).map(({ stream }) => stream))).toContain(next.stream)
    })
  }

  it('numbers the operations for its script and shows what is to be written', async () => {
    const seen: string[] = []
    const store = faultStore(createMemoryStore(), ({ operation, index, receipt }) => {
      seen.push(`${index} ${operation} ${receipt?.kind ?? ''}`.trim())
      return 'none'
    })
    await store.open()
    const chain = await openedChain(store)
    await chain.append(refusedDraft())
    await store.read({ conversation: 's', principal: 'p' }, 0)
    expect(seen).toEqual(['0 open', '1 append open', '2 append decision', '3 read'])
  })
})
