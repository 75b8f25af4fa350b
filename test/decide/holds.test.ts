import { expect, it } from 'vitest'
import { Holds } from '../../src/decide/holds.ts'

const FOREVER = 600_000

function held(mostMs: number, signal?: AbortSignal) {
  const clock = { at: 0, monotonic: () => clock.at }
  const holds = new Holds(clock, 3, 2)
  return { clock, holds, hold: holds.enter('alice', mostMs, signal) }
}

it('lets a call try again as soon as its point has healed', async () => {
  const { hold, holds } = held(FOREVER)
  const waiting = hold?.wait(FOREVER)
  holds.heal()
  expect(await waiting).toBe('again')
})

it('tries again by itself, in case nobody else asks the point', async () => {
  const { hold } = held(FOREVER)
  expect(await hold?.wait(undefined)).toBe('again')
})

it('ends with its time, also when the point heals a moment later', async () => {
  const { clock, hold, holds } = held(100)
  const waiting = hold?.wait(FOREVER)
  clock.at = 100
  holds.heal()
  expect(await waiting).toBe('expired')
  expect(await hold?.wait(undefined)).toBe('expired')
})

it('never waits for a time that is no number', async () => {
  expect(await held(Number.NaN).hold?.wait(undefined)).toBe('expired')
})

it('ends when its caller goes away', async () => {
  const left = new AbortController()
  const { hold } = held(FOREVER, left.signal)
  const waiting = hold?.wait(FOREVER)
  left.abort()
  expect(await waiting).toBe('cancelled')
})

it('holds a bounded number, of one principal and of all, and gives a place back once', () => {
  const { hold, holds } = held(FOREVER)
  const enter = (principal: string) => holds.enter(principal, FOREVER, undefined)
  expect(enter('alice')).toBeDefined()
  expect(enter('alice')).toBeUndefined()
  expect(enter('bob')).toBeDefined()
  expect(enter('carol')).toBeUndefined()
  hold?.leave()
  hold?.leave()
  expect(holds.held).toBe(2)
  expect(enter('carol')).toBeDefined()
  expect(enter('alice')).toBeUndefined()
})
