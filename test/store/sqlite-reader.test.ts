import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/bytes/digest.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { openDesk, openReader } from '../../src/store/sqlite-reader.ts'
import type { Receipt } from '../../src/types.ts'
import { answerBy, requestWith } from '../support/approvals.ts'
import { claim, collect, decisionDraft, openedChain, refusedDraft } from '../support/receipt-drafts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporary = temporaryFolders()

const request = requestWith({
  ref: 'hp_1',
  requestDigest: 'digest',
  requires: 'confirmation',
  tool: 'shop/refund',
  materiality: 'high',
  principal: { type: 'user', id: 'alice' },
  argumentsText: '{}',
  because: 'above the cap',
  createdAt: Date.now(),
  expiresAt: Date.now() + 600_000,
})

describe('reading a store from outside', () => {
  it('leaves a closed store exactly as it was, file by file', async () => {
    const folder = temporary()
    const store = createSqliteStore({ folder })
    await store.open()
    const written = await (await openedChain(store)).append(refusedDraft(), { sidecar: { salt: 's', request: '{}' } })
    await store.close()
    const before = readdirSync(folder)
    const reader = openReader(folder)
    expect((await collect(reader.receipts())).at(-1)).toEqual(written)
    expect(await reader.sidecar(written.hash)).toEqual({ salt: 's', request: '{}' })
    expect(await reader.sidecar(sha256('nothing'))).toBeUndefined()
    expect(await reader.pending()).toEqual([])
    expect(readdirSync(folder)).toEqual(before)
    await reader.close()
  })

  it('sees what live processes write, as they write it', async () => {
    const folder = temporary()
    const stores = [createSqliteStore({ folder }), createSqliteStore({ folder })]
    const chains = []
    for (const store of stores) {
      await store.open()
      chains.push(await openedChain(store))
    }
    const reader = openReader(folder)
    const first = await reader.newer()
    expect(first.receipts.map(({ kind }) => kind)).toEqual(['open', 'open'])
    const written: Receipt[] = []
    for (const chain of chains) written.push(await chain.append(refusedDraft()))
    const second = await reader.newer(first.cursor)
    expect(second.receipts).toEqual(written)
    expect((await reader.newer(second.cursor)).receipts).toEqual([])
    await reader.close()
    for (const store of stores) await store.close()
  })

  it('hands out more receipts than fit into one page, each once and in order', async () => {
    const folder = temporary()
    const store = createSqliteStore({ folder })
    await store.open()
    const chain = await openedChain(store)
    await Promise.all(Array.from({ length: 700 }, () => chain.append(refusedDraft())))
    const reader = openReader(folder)
    const seqs = (await collect(reader.receipts())).map(({ seq }) => seq)
    expect(seqs).toEqual(Array.from({ length: 701 }, (_, seq) => seq))
    await reader.close()
    await store.close()
  })

  it('says that there is no store instead of making one', async () => {
    const folder = join(temporary(), 'nowhere')
    for (const open of [openReader, openDesk]) {
      const other = open(folder)
      const asked = 'receipts' in other ? collect(other.receipts()) : other.answer('hp_1', answerBy('a'))
      await expect(asked).rejects.toMatchObject({ code: 'ERR_STORE', message: expect.stringContaining('no ') })
      await other.close()
    }
    expect(readdirSync(join(folder, '..'))).toEqual([])
  })
})

describe('answering a running gate from outside', () => {
  it('shows the gate that somebody is there, and the answer that was given, once', async () => {
    const folder = temporary()
    const store = createSqliteStore({ folder })
    await store.open()
    await store.request(request)
    const desk = openDesk(folder)
    expect((await desk.pending()).map(({ ref }) => ref)).toEqual(['hp_1'])
    expect(await store.attended()).toBe(false)
    await desk.attend('w', Date.now() + 60_000)
    expect(await store.attended()).toBe(true)
    const answer = answerBy('alice')
    expect(await desk.answer('hp_1', answer)).toBe(true)
    expect(await desk.answer('hp_1', answer)).toBe(false)
    expect(await store.get('hp_1')).toMatchObject({ state: 'approved', answers: [answer] })
    const chain = await openedChain(store)
    expect((await chain.commit(decisionDraft(), claim('k', { approval: 'hp_1' }))).committed).toEqual({
      outcome: 'claimed',
    })
    expect(await desk.get('hp_1')).toMatchObject({ state: 'spent' })
    await desk.close()
    await store.close()
  })
})
