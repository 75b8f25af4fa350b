import { describe, expect, it } from 'vitest'
import { explain, requestIn } from '../../src/cli/explain.ts'
import { readReceipt } from '../../src/receipt/read.ts'
import { testGate } from '../../src/testing.ts'

describe('the explanation of a recorded decision', () => {
  for (const [type, condition, requires] of [
    ['number', 'context.arguments.amount.lessThanOrEqual(decimal("500.0"))', 'at most 500'],
    ['integer', 'context.arguments.amount <= 500', 'at most 500'],
  ] as const) {
    it(`reads an amount as its policy does, although the tool's schema is not kept: ${type}`, async () => {
      const text = `@id("small") permit (principal, action, resource) when { ${condition} };`
      const gate = testGate({ policy: text })
      const inputSchema = { type: 'object', properties: { amount: { type } }, required: ['amount'] }
      gate.register([{ name: 'refund', origin: 'own', inputSchema }])
      const refused = await gate.as({ user: 'ada' }).admit({ tool: 'refund', input: { amount: 900 } })
      const { receipt } = refused
      if (receipt === undefined) throw new Error('no receipt')
      const claims = readReceipt(receipt.jws)
      if (claims.kind !== 'decision') throw new Error('no decision')
      const request = requestIn(await gate.store.sidecar(receipt.hash))
      const { explanation, change } = explain({ receipt, claims }, request, [{ path: 'test.cedar', text }], undefined)
      expect(explanation?.policies[0]?.conditions).toEqual([
        expect.objectContaining({ holds: false, path: '/amount', requires, actual: '900' }),
      ])
      expect(change).toEqual([{ path: '/amount', from: 900, to: 500 }])
    })
  }

  it('says of a call that would take two different yeses just that, as its refusal did', async () => {
    const text = `@id("leaves") @requires("confirmation") @refusal("This leaves the house.")
      forbid (principal, action, resource) unless { context.approval.confirmed };
      @id("finance") @requires("approval:finance") permit (principal, action, resource);`
    const gate = testGate({ policy: text })
    gate.register([{ name: 'refund', origin: 'own' }])
    const refused = await gate.as({ user: 'ada' }).admit({ tool: 'refund', input: { amount: 900 } })
    const { receipt } = refused
    if (receipt === undefined || refused.outcome !== 'refused') throw new Error('no refusal')
    const claims = readReceipt(receipt.jws)
    if (claims.kind !== 'decision') throw new Error('no decision')
    const request = requestIn(await gate.store.sidecar(receipt.hash))
    const explained = explain({ receipt, claims }, request, [{ path: 'test.cedar', text }], undefined)
    expect(refused.refusal.message).toMatch(/^This call would need more than one yes/)
    expect(explained.sentences).toEqual([refused.refusal.message])
  })
})
