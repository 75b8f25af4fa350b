import { beforeEach, describe, expect, it } from 'vitest'
import { LONGEST_ABSENCE_MS, LONGEST_WAIT_MS, seekConsent } from '../../src/approval/approval.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/types.ts'
import { answerBy, requestWith } from '../support/approvals.ts'

const HOUR_MS = 3_600_000

let now: number
let store: Store
beforeEach(() => {
  now = 1_700_000_000_000
  store = createMemoryStore({ now: () => now })
})

const request = requestWith({
  ref: 'hp_1',
  requestDigest: 'digest',
  requires: 'confirmation',
  tool: 'shop/refund',
  materiality: 'high',
  principal: { type: 'user', id: 'ada' },
  argumentsText: '{}',
  because: '',
  createdAt: 1_700_000_000_000,
  expiresAt: 1_700_000_000_000 + HOUR_MS,
})

/** Asks, on a clock that moves only while the call waits; `meanwhile` is what happens at each glance. */
async function ask(meanwhile: (waitedMs: number) => unknown = () => undefined) {
  const startedAt = now
  const consent = await seekConsent(store, request, {
    wait: true,
    clock: { now: () => now, monotonic: () => now },
    sleep: async (ms) => {
      now += ms
      await meanwhile(now - startedAt)
    },
    opened: () => undefined,
  })
  return { waitedMs: now - startedAt, ...consent }
}

const yes = answerBy('ada')

describe('a call that waits for a person', () => {
  it('does not wait at all when nobody is there', async () => {
    expect(await ask()).toMatchObject({ waitedMs: 0, given: false, code: 'approval_required' })
  })

  it('goes on as soon as the person says yes', async () => {
    await store.attend('watcher', now + HOUR_MS)
    const consent = await ask(async (waitedMs) => waitedMs === 1_000 && (await store.answer('hp_1', yes)))
    expect(consent).toMatchObject({ waitedMs: 1_000, given: true })
  })

  it('waits as long as somebody is there, and no longer than it says', async () => {
    await store.attend('watcher', now + HOUR_MS)
    expect(await ask()).toMatchObject({ waitedMs: LONGEST_WAIT_MS, given: false, code: 'approval_pending' })
  })

  it('stops waiting soon after the person has left', async () => {
    await store.attend('watcher', now + HOUR_MS)
    const { waitedMs, given } = await ask(async (ms) => ms === 2_000 && (await store.attend('watcher', 0)))
    expect(given).toBe(false)
    expect(waitedMs).toBeLessThanOrEqual(2_000 + LONGEST_ABSENCE_MS)
  })

  it('does not give up on a person whose terminal was closed and opened again', async () => {
    await store.attend('watcher', now + HOUR_MS)
    const consent = await ask(async (ms) => {
      if (ms === 2_000) await store.attend('watcher', 0)
      if (ms === 5_000) await store.attend('the same person again', now + HOUR_MS)
      if (ms === 20_000) await store.answer('hp_1', yes)
    })
    expect(consent).toMatchObject({ waitedMs: 20_000, given: true })
  })
})
