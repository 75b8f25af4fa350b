import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createObligations, type ObligationHandler } from '../../src/decide/obligations.ts'
import { HoldpointError } from '../../src/errors.ts'
import type { Obligation } from '../../src/types.ts'

const CALL = { tool: 'shop/pay', materiality: 'high', principal: { type: 'user', id: 'alice' } } as const

const clock = { monotonic: () => performance.now() }

function obligation(type: string): Obligation {
  return { id: `o-${type}`, type, properties: { to: 'finance' } }
}

async function met(
  handlers: Readonly<Record<string, ObligationHandler>>,
  types: readonly string[],
  terms: { readonly leftMs?: number; readonly signal?: AbortSignal } = {},
): Promise<boolean> {
  return await createObligations(handlers, clock).fulfil(types.map(obligation), { leftMs: 5_000, call: CALL, ...terms })
}

describe('obligations', () => {
  it('are met when every handler says true, now or later', async () => {
    expect(await met({ note: () => true, tell: async () => true }, ['note', 'tell', 'note'])).toBe(true)
    expect(await met({}, [])).toBe(true)
  })

  it('reach their handlers with what the policy wrote', async () => {
    const seen: Obligation[] = []
    const note: ObligationHandler = (one) => seen.push(one) > 0
    await met({ note }, ['note'])
    expect(seen).toEqual([{ id: 'o-note', type: 'note', properties: { to: 'finance' } }])
  })

  it.each<[string, ObligationHandler]>([
    ['says false', () => false],
    ['says nothing', (() => undefined) as unknown as ObligationHandler],
    ['says 1', (() => 1) as unknown as ObligationHandler],
    ['says the text true', (() => 'true') as unknown as ObligationHandler],
    [
      'throws',
      () => {
        throw new Error('no mail today')
      },
    ],
    ['rejects', async () => await Promise.reject(new Error('no mail today'))],
    [
      'is late',
      async () => {
        await delay(200)
        return true
      },
    ],
    ['never ends', async () => await new Promise<boolean>(() => undefined)],
  ])('are not met when one handler of several %s', async (_, handler) => {
    expect(await met({ note: () => true, tell: handler }, ['note', 'tell'], { leftMs: 60 })).toBe(false)
  })

  it.each(['unheard-of', 'constructor', '__proto__', 'toString', ''])(
    'of a type that nobody knows are not met: %s',
    async (type) => {
      expect(await met({ note: () => true }, [type])).toBe(false)
    },
  )

  it('that are known are met also beside one that is not, so that nothing goes unreported', async () => {
    let told = 0
    expect(
      await met(
        {
          note: () => {
            told += 1
            return true
          },
        },
        ['unheard-of', 'note'],
      ),
    ).toBe(false)
    expect(told).toBe(1)
  })

  it('that were met too late are not met, also when the event loop was blocked past the timer', async () => {
    const block: ObligationHandler = () =>
      new Promise((resolve) => {
        setTimeout(() => {
          const until = performance.now() + 60
          while (performance.now() < until);
          resolve(true)
        }, 1)
      })
    expect(await met({ block }, ['block'], { leftMs: 30 })).toBe(false)
  })

  it('are not begun when no time is left, or the caller is gone', async () => {
    let begun = 0
    const note: ObligationHandler = () => {
      begun += 1
      return true
    }
    expect(await met({ note }, ['note'], { leftMs: 0 })).toBe(false)
    expect(await met({ note }, ['note'], { leftMs: Number.NaN })).toBe(false)
    expect(await met({ note }, ['note'], { signal: AbortSignal.abort() })).toBe(false)
    expect(begun).toBe(0)
  })

  it('tell their handlers when the time is up', async () => {
    let signal: AbortSignal | undefined
    const hang: ObligationHandler = async (_, call) => {
      signal = call.signal
      return await new Promise<boolean>(() => undefined)
    }
    await met({ hang }, ['hang'], { leftMs: 20 })
    expect(signal?.aborted).toBe(true)
  })

  it('end with the caller', async () => {
    const controller = new AbortController()
    const asked = met({ hang: async () => await new Promise<boolean>(() => undefined) }, ['hang'], {
      signal: controller.signal,
    })
    controller.abort()
    expect(await asked).toBe(false)
  })

  it('are refused at start where a handler is none', () => {
    expect(() => createObligations({ note: true as unknown as ObligationHandler }, clock)).toThrow(HoldpointError)
  })
})
