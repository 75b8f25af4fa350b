import { describe, expect, it } from 'vitest'
import { readReceipt } from '../../src/receipt/read.ts'
import { type TestGate, type TestGateOptions, testGate } from '../../src/testing.ts'
import type { Call, Gate } from '../../src/types.ts'
import { said } from '../support/approvals.ts'

const asked = { wait: false, requires: 'confirmation' } as const
const pay: Call = { tool: 'pay', input: { amount: 5 }, callId: 'c1', step: 1 }

/** The policies have nothing against the call; its tool wants a person all the same. */
describe("a tool that asks for a person's yes by itself", () => {
  it('does not run on the policy’s permit alone', async () => {
    const { me } = gateOf()
    expect(await me.admit(pay, asked)).toMatchObject({
      outcome: 'refused',
      request: { state: 'pending', requires: 'confirmation' },
      refusal: {
        code: 'approval_required',
        message: "This tool asks for a person's yes before it runs.",
        constraints: [],
      },
    })
  })

  it('runs once with the yes, and for nothing but the exact call that was shown', async () => {
    const { me } = gateOf()
    const refused = await me.admit(pay, asked)
    const ref = refused.outcome === 'refused' ? refused.request?.ref : undefined
    expect(said(await me.answer(ref ?? '', 'approved'))).toBe('recorded')
    const other = await me.admit({ ...pay, input: { amount: 500 } }, asked)
    expect(other).toMatchObject({ outcome: 'refused', refusal: { code: 'approval_required' } })
    const admitted = await me.admit(pay, asked)
    expect(admitted.outcome).toBe('permitted')
    if (admitted.outcome === 'permitted') await admitted.settle({ status: 'not_executed' })
    expect(await me.admit({ ...pay, callId: 'c2' }, asked)).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'approval_required' },
    })
  })

  it('does not join a call of the same key that was admitted without asking anybody', async () => {
    const { me } = gateOf()
    expect((await me.admit(pay)).outcome).toBe('permitted')
    expect((await me.admit(pay, asked)).outcome).toBe('refused')
  })

  it('is not run by the fail mode either', async () => {
    const { gate, me } = gateOf({ failMode: { low: 'open' }, timeoutMs: 200, tools: { pay: { materiality: 'low' } } })
    gate.outage('refused')
    expect((await me.admit(pay)).outcome).toBe('permitted')
    expect(await me.admit({ ...pay, callId: 'c2' }, asked)).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'approval_required' },
    })
  })

  it('leaves a receipt that does not blame the policy', async () => {
    const { gate, me } = gateOf()
    await me.admit(pay, asked)
    const payloads = (await gate.receipts()).map((receipt) => readReceipt(receipt.jws))
    expect(payloads.at(-1)).toMatchObject({ kind: 'decision', code: 'approval_required', basis: 'gate' })
  })

  it('blocks nothing in observe mode: there the host asks, or nobody', async () => {
    const { me } = gateOf({ observe: { until: Date.now() + 60_000 } })
    expect(await me.admit(pay, asked)).toMatchObject({ outcome: 'permitted', enforced: false })
  })
})

function gateOf(options: TestGateOptions = {}): { readonly gate: TestGate; readonly me: Gate } {
  const gate = testGate(options)
  gate.register([{ name: 'pay', origin: 'own', description: 'pays' }])
  return { gate, me: gate.as({ user: 'alice' }, { conversation: 'talk', channel: 'chat' }) }
}
