import { describe, expect, it } from 'vitest'
import { observation } from '../../src/observation.ts'
import { testGate } from '../../src/testing.ts'

const START = 1_800_000_000_000
const MINUTE = 60_000

/** A gate that observes for one minute, under a policy that permits nothing, and its two clocks. */
function observing() {
  const time = { now: START, monotonic: 0 }
  const clock = { now: () => time.now, monotonic: () => time.monotonic }
  const gate = testGate({
    clock,
    observe: { until: START + MINUTE },
    policy: '@id("no") forbid (principal, action, resource);',
  })
  gate.register([{ name: 'wipe', origin: 'own' }])
  const me = gate.as({ user: 'alice' })
  const wipe = async (callId: string) => (await me.run({ tool: 'wipe', input: {}, callId }, () => 'wiped')).outcome
  return { time, clock, gate, me, wipe }
}

describe('an observation that has ended', () => {
  it('does not begin again when the wall clock is put back', async () => {
    const { time, wipe } = observing()
    expect(await wipe('1')).toBe('ran')
    time.now = START + MINUTE
    expect(await wipe('2')).toBe('refused')
    time.now = START
    expect(await wipe('3')).toBe('refused')
  })

  it('has ended although the wall clock stands still, or was put back before', async () => {
    const { time, wipe } = observing()
    time.now = START - MINUTE
    time.monotonic = MINUTE - 1
    expect(await wipe('1')).toBe('ran')
    time.monotonic = MINUTE
    expect(await wipe('2')).toBe('refused')
  })

  it('I6: says of a call that began and was never heard of that nobody knows whether it ran', async () => {
    const { me, gate } = observing()
    const settled = async (callId: string, begins: boolean) => {
      const admission = await me.admit({ tool: 'wipe', input: {}, callId })
      if (admission.outcome !== 'permitted') throw new Error(admission.refusal.message)
      if (begins) admission.begin()
      await admission.settle({ status: 'not_executed' })
    }
    await settled('1', true)
    await settled('2', false)
    const statuses = gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))
    expect(statuses).toEqual(['unknown', 'not_executed'])
  })

  it('has ended when a clock gives no number', () => {
    const { clock, time } = observing()
    const mode = observation(START + MINUTE, clock)
    expect(mode.isOn()).toBe(true)
    time.now = Number.NaN
    expect(mode.isOn()).toBe(false)
  })
})

it('lets an observed call begin once', async () => {
  const { me } = observing()
  const admission = await me.admit({ tool: 'wipe', input: {}, callId: '1' })
  if (admission.outcome !== 'permitted') throw new Error(admission.refusal.code)
  expect(admission.enforced).toBe(false)
  expect(admission.begin().outcome).toBe('begun')
  expect(admission.begin()).toMatchObject({ outcome: 'refused', refusal: { code: 'in_progress' } })
})
