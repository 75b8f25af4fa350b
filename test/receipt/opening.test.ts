import { describe, expect, it } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import type { DecisionClaims, OutcomeClaims } from '../../src/receipt/claims.ts'
import { openedRequest, openRequest, openResult } from '../../src/receipt/opening.ts'
import { readReceipt } from '../../src/receipt/read.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { PERMIT, scriptedPoint } from '../support/scripted-point.ts'

/** One refund that ran, with what its store kept. */
async function refunded() {
  const store = createMemoryStore()
  const gate = createGate({
    config: false,
    server: 'shop',
    policy: scriptedPoint(() => PERMIT),
    effects: { store, signer: generateSigner() },
  })
  gate.register([{ name: 'refund', origin: 'own', inputSchema: { type: 'object' } }])
  const run = await gate.as({ user: 'ada' }).run({ tool: 'refund', input: { amount: 40 } }, () => 'paid 40')
  await gate.close()
  const [decided, ended] = run.outcome === 'ran' ? run.receipts : []
  const decision = readReceipt(decided?.jws ?? '') as DecisionClaims
  const outcome = readReceipt(ended?.jws ?? '') as OutcomeClaims
  const kept = await store.sidecar(decided?.hash ?? '')
  if (kept === undefined) throw new Error('the request was not kept')
  return { decision, outcome, kept }
}

describe('an opening', () => {
  it('shows a request and its arguments to whoever has the receipt', async () => {
    const { decision, kept } = await refunded()
    const opening = openRequest(decision, kept)
    if (opening === undefined) throw new Error('it does not open')
    expect(openedRequest(decision, opening)?.context.arguments).toEqual({ amount: 40 })
  })

  it('of another request is none, nor is one with another salt', async () => {
    const [one, other] = [await refunded(), await refunded()]
    const opening = openRequest(one.decision, one.kept)
    if (opening === undefined) throw new Error('it does not open')
    expect(openedRequest(other.decision, opening)).toBeUndefined()
    expect(openedRequest(one.decision, { ...opening, text: opening.text.replace('40', '41') })).toBeUndefined()
    expect(openedRequest(one.decision, { ...opening, text: opening.text.replace('ada', 'eve') })).toBeUndefined()
    expect(openRequest(one.decision, other.kept)).toBeUndefined()
  })

  it('of a request whose arguments are not those of the receipt is none', async () => {
    const { decision, kept } = await refunded()
    const lied = { ...decision, args: { commit: decision.request ?? '', bytes: 13 } }
    expect(openRequest(lied, kept)).toBeUndefined()
  })

  it('of a result is made of the text that somebody kept, and of no other', async () => {
    const { outcome, kept } = await refunded()
    expect(openResult(outcome, kept, '"paid 40"')?.text).toBe('"paid 40"')
    expect(openResult(outcome, kept, '"paid 41"')).toBeUndefined()
  })

  it('of a request does not let anybody try out results', async () => {
    const { decision, outcome, kept } = await refunded()
    const shown = openRequest(decision, kept)
    const result = openResult(outcome, kept, '"paid 40"')
    expect(shown?.salt).not.toBe(kept.salt)
    expect(result?.salt).not.toBe(shown?.salt)
    expect(openResult(outcome, { ...kept, salt: shown?.salt ?? '' }, '"paid 40"')).toBeUndefined()
  })
})
