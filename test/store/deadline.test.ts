import { expect, it } from 'vitest'
import { withDeadline } from '../../src/store/deadline.ts'
import { createMemoryStore } from '../../src/testing.ts'
import type { Store } from '../../src/types.ts'

const never = () => new Promise<never>(() => undefined)

const asked: readonly (readonly [string, (store: Store) => Promise<unknown>])[] = [
  ['open', (store) => store.open()],
  ['close', (store) => store.close()],
  ['sidecar', (store) => store.sidecar('h')],
  ['holder', (store) => store.holder('k')],
  ['read', (store) => store.read({ conversation: 's', principal: 'p' }, 0)],
  ['request', (store) => store.request({} as never)],
  ['find', (store) => store.find('d')],
  ['get', (store) => store.get('r')],
  ['pending', (store) => store.pending()],
  ['answer', (store) => store.answer('r', {} as never)],
  ['attended', (store) => store.attended()],
  ['attend', (store) => store.attend('w', 0)],
]

it.each(asked)('a store that never answers `%s` has failed', async (method, ask) => {
  const store = withDeadline({ ...withDeadline(createMemoryStore()), [method]: never }, 10)
  await expect(ask(store)).rejects.toMatchObject({
    code: 'ERR_STORE',
    message: 'the store did not answer within 10 ms',
  })
})

it('a store that throws instead of answering has failed too, and no other way', async () => {
  const broken = () => {
    throw new Error('broken')
  }
  const store = withDeadline({ ...withDeadline(createMemoryStore()), holder: broken })
  await expect(store.holder('k')).rejects.toThrow('broken')
})

it('every question of the store has its deadline or is bounded where it is asked', () => {
  const bounded = new Set(asked.map(([method]) => method))
  const elsewhere = ['append', 'commitDecision', 'receipts']
  expect(
    Object.keys(withDeadline(createMemoryStore()))
      .filter((method) => !bounded.has(method))
      .sort(),
  ).toEqual(elsewhere)
})
