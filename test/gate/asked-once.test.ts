/** A person is asked once, about what would run: what their permit obliges to of the arguments is done before. */
import { describe, expect, it } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { createFunctionPoint } from '../../src/policy/function.ts'
import { readReceipt } from '../../src/receipt/read.ts'
import { createMemoryStore, generateSigner, type TestGateOptions, testGate } from '../../src/testing.ts'
import type { AdmitOptions, Call, EvaluationRequest, Gate } from '../../src/types.ts'
import { askedBy, people, refundOf, refundTool, yes } from '../support/refunds.ts'

const LIMITED = `
@id("large") @requires("approval:finance") @obligation("limit:{\\"path\\":\\"/amount\\",\\"max\\":500}")
permit (principal, action, resource);`

function shop(policy: TestGateOptions['policy'] = LIMITED) {
  const gate = testGate({ policy, server: 'shop', tools: { refund: { materiality: 'high' } } })
  gate.register([refundTool])
  return { gate, ...people(gate) }
}

async function fateOf(view: Gate, call: Call, options: AdmitOptions = {}) {
  const given: unknown[] = []
  const result = await view.run(call, (input) => void given.push(input), { wait: false, ...options })
  const notices = result.outcome === 'ran' ? (result.notices ?? []).map(({ kind }) => kind) : []
  return { fate: result.outcome === 'ran' ? 'ran' : result.refusal.code, given, notices }
}

const refund = (amount = 900) => refundOf(amount)
const asked = async (view: Gate, call: Call) => await askedBy(view, call, { obliging: 'all' })

describe('a permit that waits for a person and obliges to other arguments', () => {
  it('I3: asks once, shows what will run, and runs that', async () => {
    const { gate, alice, bob } = shop()
    const request = await asked(alice, refund())
    expect(request.question).toContain('┆ {"amount":500}')
    expect((await alice.requestFor(refund()))?.ref).toBe(request.ref)
    expect((await fateOf(alice, refund())).fate).toBe('approval_pending')
    await yes(bob, request)
    expect(await fateOf(alice, refund())).toEqual({ fate: 'ran', given: [{ amount: 500 }], notices: ['limited'] })
    const permits = (await gate.receipts()).map(({ jws }) => readReceipt(jws)).filter((claims) => 'permit' in claims)
    expect(permits).toMatchObject([
      { basis: 'approval', approval: { ref: request.ref, shown: request.shown }, obligations: [{ id: 'large' }] },
    ])
    expect((await fateOf(alice, refund())).fate).toBe('approval_required')
  })

  it('I4: does not run without that yes what it alone has made of the call', async () => {
    const small = '@id("small") permit (principal, action, resource) when { context.arguments.amount <= 500 };'
    const { alice, bob } = shop(`${small}${LIMITED}`)
    expect((await fateOf(alice, refund())).fate).toBe('approval_required')
    expect(await fateOf(alice, refund(500))).toMatchObject({ fate: 'ran', given: [{ amount: 500 }] })
    await yes(bob, await asked(alice, refund()))
    expect(await fateOf(alice, refund())).toMatchObject({ fate: 'ran', given: [{ amount: 500 }] })
  })

  it('I4: asks nobody where it makes a call of it that wants somebody else’s yes', async () => {
    const own =
      '@id("own") @requires("confirmation") permit (principal, action, resource) when { context.arguments.amount <= 500 };'
    const { gate, alice } = shop(
      `${own}${LIMITED.replace('resource);', 'resource) when { context.arguments.amount > 500 };')}`,
    )
    expect((await fateOf(alice, refund())).fate).toBe('obligation_unmet')
    expect(await gate.store.pending()).toEqual([])
  })

  it('asks nobody in vain: not where it cannot be done, nor for a host that runs calls as they came', async () => {
    const nowhere = shop(LIMITED.replace('/amount', '/rows'))
    expect((await fateOf(nowhere.alice, refund())).fate).toBe('obligation_unmet')
    const { gate, alice } = shop()
    expect(await alice.admit(refund(), { wait: false })).toMatchObject({ refusal: { code: 'obligation_unmet' } })
    expect([await nowhere.gate.store.pending(), await gate.store.pending()]).toEqual([[], []])
  })

  it('asks nobody in vain: not for a host that shows results as they are, nor where nobody meets the rest', async () => {
    for (const [owed, isMet] of [
      ['redact_output:{"paths":["/note"]}', false],
      ['notify', false],
      ['mail', false],
      ['limit:{"path":"/amount","max":5000}', true],
    ] as const) {
      const text = JSON.stringify(owed).slice(1, -1)
      const { alice, bob } = shop(
        `@id("a") @requires("approval:finance") @obligation("${text}") permit (principal, action, resource);`,
      )
      const admission = await alice.admit(refund(), { wait: false })
      expect(admission, owed).toMatchObject({ refusal: { code: isMet ? 'approval_required' : 'obligation_unmet' } })
      expect(await bob.approvals()).toHaveLength(isMet ? 1 : 0)
      const shown = await alice.admit(refund(901), { wait: false, obliging: 'all' })
      expect(shown, owed).toMatchObject({
        refusal: { code: owed === 'notify' || owed === 'mail' ? 'obligation_unmet' : 'approval_required' },
      })
    }
  })

  it('asks anew once the limit is another, and a no is final for what was asked', async () => {
    const { alice, bob } = shop()
    const request = await asked(alice, refund())
    await bob.answer(request.ref, 'declined', { shown: request.shown })
    expect((await fateOf(alice, refund())).fate).toBe('approval_declined')
    expect((await fateOf(alice, refund(901))).fate).toBe('approval_required')
  })

  it('I3: asks once where one policy point limits what another one asks about', async () => {
    const limits = () => ({
      kind: 'permit',
      obligations: [{ id: 'l', type: 'limit', properties: { path: '/amount', max: 500 } }],
      determining: ['l'],
      errors: [],
    })
    const asks = ({ context }: EvaluationRequest) =>
      context.approval.roles.includes('finance') ? 'permit' : { ask: 'finance' }
    const policy = [createFunctionPoint(limits, { id: 'limits' }), createFunctionPoint(asks, { id: 'asks' })]
    const effects = { store: createMemoryStore(), signer: generateSigner() }
    const gate = createGate({ config: false, server: 'shop', policy, events: [], effects })
    gate.register([refundTool])
    const { alice, bob } = people(gate)
    const request = await asked(alice, refund())
    expect(request.argumentsText).toBe('{"amount":500}')
    await yes(bob, request)
    expect(await fateOf(alice, refund())).toMatchObject({ fate: 'ran', given: [{ amount: 500 }] })
  })
})
