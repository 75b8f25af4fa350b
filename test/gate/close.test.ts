import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { readReceipt } from '../../src/receipt/read.ts'
import { faultStore } from '../../src/store/fault.ts'
import { createMemoryStore, createSqliteStore, testGate } from '../../src/testing.ts'
import type { Gate, Receipt, Store } from '../../src/types.ts'
import { verifyReceipts } from '../../src/verify.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporaryFolder = temporaryFolders()

/** A gate whose policy point answers about `slow` only when it is told to. */
function gateOn(store: Store) {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<'permit'>()
  const gate = testGate({
    store,
    policy: (request) => {
      if (!request.resource.id.endsWith('slow')) return 'permit'
      asked.resolve()
      return answer.promise
    },
  })
  gate.register([
    { name: 'slow', origin: 'own' },
    { name: 'fast', origin: 'own' },
  ])
  return { gate, me: gate.as({ user: 'alice' }), asked: asked.promise, permit: () => answer.resolve('permit') }
}

async function permitted(me: Gate, tool: string) {
  const admission = await me.admit({ tool, input: {}, callId: tool })
  if (admission.outcome !== 'permitted') throw new Error(admission.refusal.code)
  return admission
}

async function written(store: Store): Promise<readonly Receipt[]> {
  const receipts: Receipt[] = []
  for await (const receipt of store.receipts()) receipts.push(receipt)
  return receipts
}

describe.each([
  [
    'in memory',
    () => {
      const store = createMemoryStore()
      return { store, reopened: () => store }
    },
  ],
  [
    'on disk',
    () => {
      const folder = temporaryFolder()
      return { store: createSqliteStore({ folder }), reopened: () => createSqliteStore({ folder }) }
    },
  ],
] as const)('a gate that is closed while calls are under way, its receipts %s', (_, make) => {
  it('runs nothing that was still being decided, and its evidence verifies', async () => {
    const { store, reopened } = make()
    const { gate, me, asked, permit } = gateOn(store)
    await permitted(me, 'fast')
    let ran = 0
    const slow = me.run({ tool: 'slow', input: {}, callId: 's' }, () => {
      ran += 1
    })
    await asked
    const closing = gate.close()
    permit()
    await closing
    expect((await slow).outcome).toBe('refused')
    expect(ran).toBe(0)
    const receipts = await written(reopened())
    expect(receipts.at(-1)?.kind).toBe('seal')
    const report = await verifyReceipts(
      receipts.map(({ jws }) => jws),
      { keys: [gate.signer.publicJwk] },
    )
    expect(report.ok).toBe(true)
  })

  it('ends a permit that was being written when it closed, so that its key is free', async () => {
    const { store, reopened } = make()
    const committing = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    const slowStore: Store = {
      ...store,
      commitDecision: async (...work) => {
        committing.resolve()
        await released.promise
        return await store.commitDecision(...work)
      },
    }
    const { gate, me } = gateOn(slowStore)
    const deciding = me.admit({ tool: 'fast', input: {}, callId: 'f' })
    await committing.promise
    const closing = gate.close()
    released.resolve()
    expect((await deciding).outcome).toBe('refused')
    await closing
    expect((await written(reopened())).at(-1)?.kind).toBe('seal')
    const again = gateOn(reopened())
    expect((await again.me.run({ tool: 'fast', input: {}, callId: 'f' }, () => 1)).outcome).toBe('ran')
    await again.gate.close()
  })

  it('lets no permit of before begin, and says of a call that ends later that its outcome is lost', async () => {
    const { store, reopened } = make()
    const { gate, me } = gateOn(store)
    const running = await permitted(me, 'fast')
    const waiting = await me.admit({ tool: 'fast', input: {}, callId: 'other' })
    running.begin()
    await gate.close()
    await gate.close()
    expect(waiting.outcome === 'permitted' && waiting.begin()).toMatchObject({ refusal: { code: 'permit_revoked' } })
    expect(await running.settle({ status: 'ok', result: 1 })).toBeUndefined()
    expect(gate.events).toContainEqual(
      expect.objectContaining({ event: 'receipt-failed', kind: 'outcome', code: 'ERR_CLOSED' }),
    )
    const receipts = await written(reopened())
    expect(receipts.map(({ kind }) => kind).filter((kind) => kind === 'open' || kind === 'seal')).toEqual([
      'open',
      'seal',
    ])
    expect(receipts.at(-1)?.kind).toBe('seal')
  })
})

describe('a gate whose opening receipt could not be written', () => {
  it('gives its place in the store back when it is closed, so that the next one goes on there', async () => {
    const folder = temporaryFolder()
    const first = testGate({
      store: faultStore(createSqliteStore({ folder }), ({ operation }) =>
        operation === 'append' ? 'fail_but_persist' : 'none',
      ),
    })
    await expect(first.ready()).rejects.toMatchObject({ code: 'ERR_STORE' })
    await first.close()
    const store = createSqliteStore({ folder })
    const next = testGate({ store })
    await next.ready()
    await next.close()
    const [open, ...more] = await written(createSqliteStore({ folder }))
    const last = more.map(({ jws }) => readReceipt(jws)).find(({ kind }) => kind === 'open')
    expect(last).toMatchObject({ last: { stream: open?.stream, seq: 0 } })
  })
})

describe('a gate that is closed and created again in one process', () => {
  it('runs no call twice, though it forgets when the process ends; and closing the old one again leaves the new one', async () => {
    const keyFile = join(temporaryFolder(), 'receipt.pem')
    const create = () => {
      const gate = createGate({
        config: false,
        store: 'memory',
        server: 'again',
        tools: { pay: { permit: 'always' } },
        keyFile,
        events: [],
      })
      gate.register([{ name: 'pay', origin: 'own' }])
      return gate
    }
    const pay = async (gate: Gate) =>
      await gate.as({ user: 'alice' }).run({ tool: 'pay', input: {}, callId: 'x' }, () => 'paid')
    const one = create()
    expect((await pay(one)).outcome).toBe('ran')
    await one.close()
    const two = create()
    expect(await pay(two)).toMatchObject({ outcome: 'refused', refusal: { code: 'already_executed' } })
    await one.close()
    expect(create()).toBe(two)
    await two.close()
  })
})
