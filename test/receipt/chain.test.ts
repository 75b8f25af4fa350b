import { describe, expect, it } from 'vitest'
import { readReceipt } from '../../src/receipt/read.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { ReceiptStore } from '../../src/types.ts'
import {
  claim,
  decisionDraft,
  newChain,
  openDraft,
  openedChain,
  outcomeDraft,
  refusedDraft,
} from '../support/receipt-drafts.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

describe('a chain of receipts', () => {
  it('refuses to write before it was opened', async () => {
    await expect(newChain(createMemoryStore()).append(refusedDraft())).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })

  it('numbers receipts without a hole and names the one before, also when they are written at once', async () => {
    const chain = await openedChain(createMemoryStore())
    const receipts = await Promise.all(Array.from({ length: 20 }, () => chain.append(refusedDraft())))
    expect(receipts.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, seq) => seq + 1))
    for (const [place, receipt] of receipts.entries()) {
      if (place > 0) expect(receipt.prev).toBe(receipts[place - 1]?.hash)
    }
  })

  it('says nothing of a call whose key was taken, and goes on without a hole', async () => {
    const chain = await openedChain(createMemoryStore())
    const [first, again, later] = await Promise.all([
      chain.commit(decisionDraft(), claim('same')),
      chain.commit(decisionDraft(), claim('same')),
      chain.append(refusedDraft()),
    ])
    expect(first.receipt?.seq).toBe(1)
    expect(again).toMatchObject({ committed: { outcome: 'taken', receipt: first.receipt?.id } })
    expect(again.receipt).toBeUndefined()
    expect(later).toMatchObject({ seq: 2, prev: first.receipt?.hash })
  })

  it('begins a new stream that names the last acknowledged receipt when nobody knows whether a write was kept', async () => {
    const store = new ScriptedStore([
      { fate: 'store', delay: 0 },
      { fate: 'store', delay: 0 },
      { fate: 'reject_but_persist', delay: 0 },
    ])
    const chain = await openedChain(store)
    const kept = await chain.append(refusedDraft())
    await expect(chain.append(refusedDraft())).rejects.toMatchObject({ code: 'ERR_STORE' })
    const next = await chain.append(refusedDraft())
    expect(next.stream).not.toBe(kept.stream)
    const opening = store.persisted.find(({ stream, seq }) => stream === next.stream && seq === 0)
    expect(readReceipt(opening?.jws ?? '')).toMatchObject({
      kind: 'open',
      last: { stream: kept.stream, seq: kept.seq, hash: kept.hash },
    })
  })

  it('does not wait for ever for a store that hangs', async () => {
    const store = new ScriptedStore([
      { fate: 'store', delay: 0 },
      { fate: 'hang', delay: 0 },
    ])
    const chain = await openedChain(store, { deadlineMs: 10 })
    await expect(chain.append(refusedDraft())).rejects.toMatchObject({ code: 'ERR_STORE' })
    await expect(chain.append(refusedDraft())).resolves.toMatchObject({ seq: 1 })
  })

  it('gives up on a store that keeps refusing a place that must be free', async () => {
    const amnesiac: ReceiptStore = {
      append: async ({ kind }) => ({ outcome: kind === 'open' ? 'stored' : 'discontinuous' }),
      commitDecision: async () => ({ outcome: 'discontinuous' }),
    }
    const chain = await openedChain(amnesiac)
    await expect(chain.append(refusedDraft())).rejects.toMatchObject({ code: 'ERR_STORE' })
  })

  it('writes what the stage said, plus its place, its issuer and its time', async () => {
    const signer = generateSigner()
    const chain = newChain(createMemoryStore(), { signer })
    const before = Date.now()
    const opening = await chain.open(openDraft)
    const { receipt } = await chain.commit(decisionDraft({ note: 'said' }), claim('a'))
    const outcome = await chain.append(outcomeDraft(receipt?.hash ?? ''))
    const said = readReceipt(outcome.jws)
    expect(readReceipt(opening.jws)).toMatchObject({ kind: 'open', kid: signer.kid, seq: 0, iss: 'test', v: 1 })
    expect(said).toMatchObject({
      kind: 'outcome',
      decision: receipt?.hash,
      seq: 2,
      prev: receipt?.hash,
      stream: opening.stream,
    })
    expect(said.ts).toBeGreaterThanOrEqual(before)
    expect(Number.isInteger(said.mono)).toBe(true)
  })

  it('leaves its place untouched when claims cannot be written down', async () => {
    const chain = await openedChain(createMemoryStore())
    await expect(chain.append(refusedDraft({ note: '\ud800' }))).rejects.toThrow()
    await expect(chain.append(refusedDraft())).resolves.toMatchObject({ seq: 1 })
  })
})
