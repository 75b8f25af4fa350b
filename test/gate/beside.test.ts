import { homedir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { stateFolder } from '../../src/config/state-folder.ts'
import { testGate } from '../../src/testing.ts'
import type { Call } from '../../src/types.ts'

const SEND = { name: 'send_note', origin: 'own', description: 'Sends a note to somebody.' } as const
const CALL: Call = { tool: 'send_note', input: { id: '7' }, callId: 'c1' }

/** A gate whose person has to say yes to everything, as alice sees it. */
function asking() {
  const gate = testGate({ policy: 'ask/v1', tools: { send_note: { materiality: 'medium' } } })
  gate.register([SEND])
  const alice = gate.as({ user: 'alice' }, { channel: 'chat' })
  const refOf = async (call: Call) => {
    const admission = await alice.admit(call, { wait: false })
    return admission.outcome === 'refused' ? admission.request : undefined
  }
  return { gate, alice, refOf }
}

describe('what goes to a tool beside its arguments', () => {
  it('I3: is shown to whoever is asked, and a yes to other company is none', async () => {
    const { alice, refOf } = asking()
    const first = await refOf({ ...CALL, beside: { answers: { to: 'bob' } } })
    expect(first?.argumentsText).toBe('{"id":"7"} beside {"answers":{"to":"bob"}}')
    await alice.answer(first?.ref ?? '', 'approved')
    for (const beside of [undefined, { answers: { to: 'mallory' } }]) {
      const other = await alice.admit({ ...CALL, beside }, { wait: false })
      expect(other).toMatchObject({ outcome: 'refused', refusal: { code: 'approval_required' } })
    }
    expect((await alice.admit({ ...CALL, beside: { answers: { to: 'bob' } } })).outcome).toBe('permitted')
  })

  it('I3: is never shown as arguments that would say the same', async () => {
    const { refOf } = asking()
    const company = { answers: { to: 'bob' } }
    const pair = await refOf({ ...CALL, beside: company })
    const alike = { arguments: { id: '7' }, beside: company }
    const whole = await refOf({ ...CALL, input: alike })
    expect(whole?.argumentsText).toBe('{"arguments":{"id":"7"},"beside":{"answers":{"to":"bob"}}}')
    expect(whole?.ref).not.toBe(pair?.ref)
    expect(() => JSON.parse(pair?.argumentsText ?? '')).toThrow(SyntaxError)
  })

  it('I3: reaches the tool as it was decided, whatever the caller does to its object meanwhile', async () => {
    const gate = testGate()
    gate.register([SEND])
    const beside = { answers: { to: 'bob' } }
    const deciding = gate.as({ user: 'alice' }).admit({ ...CALL, beside })
    beside.answers.to = 'mallory'
    const admission = await deciding
    if (admission.outcome !== 'permitted') throw new Error(admission.refusal.message)
    expect(admission.begin()).toEqual({ outcome: 'begun', input: { id: '7' }, beside: { answers: { to: 'bob' } } })
  })

  it('is not there where there is none', async () => {
    const gate = testGate()
    gate.register([SEND])
    const admission = await gate.as({ user: 'alice' }).admit(CALL)
    if (admission.outcome !== 'permitted') throw new Error(admission.refusal.message)
    expect(admission.begin()).toEqual({ outcome: 'begun', input: { id: '7' } })
  })

  it('I2: makes two calls of one that differs in it', async () => {
    const gate = testGate()
    gate.register([SEND])
    const alice = gate.as({ user: 'alice' })
    const [one, other] = await Promise.all([
      alice.admit({ ...CALL, beside: { a: 1 } }),
      alice.admit({ ...CALL, beside: { a: 2 } }),
    ])
    expect(one.callKey).not.toBe(other.callKey)
  })

  it("names none of holdpoint's own files", async () => {
    const gate = testGate()
    gate.register([SEND])
    const path = `${stateFolder(process.env, process.platform, homedir())}/pins/notes.json`
    const admission = await gate.as({ user: 'alice' }).admit({ ...CALL, beside: { answers: { path } } })
    expect(admission).toMatchObject({ outcome: 'refused', refusal: { code: 'denied_by_policy' } })
  })

  it('I4: is refused where it has no exact copy', async () => {
    const gate = testGate()
    gate.register([SEND])
    const admission = await gate.as({ user: 'alice' }).admit({ ...CALL, beside: { n: Number.NaN } })
    expect(admission).toMatchObject({ outcome: 'refused', refusal: { code: 'arguments_rejected' } })
  })
})
