import { describe, expect, it } from 'vitest'
import { generateSigner } from '../../src/receipt/sign.ts'
import { testGate } from '../../src/testing.ts'
import { type Jwk, verifyReceipts } from '../../src/verify.ts'

describe('a gate', () => {
  it('announces its successor in a receipt of its own stream, and goes on with its own key', async () => {
    const gate = testGate()
    const fresh = generateSigner()
    const receipt = await gate.addKey(fresh)
    expect(receipt.kind).toBe('key')
    await gate.close()
    const tokens = (await gate.receipts()).map(({ jws }) => jws)
    const report = await verifyReceipts(tokens, { keys: [gate.signer.publicJwk as unknown as Jwk] })
    expect(report).toMatchObject({ ok: true, verified: tokens.length })
  })

  it('retires neither its own key nor makes itself its own successor; nothing is written then', async () => {
    const gate = testGate()
    await gate.ready()
    const before = await gate.receipts()
    await expect(gate.retireKey(gate.signer.kid)).rejects.toMatchObject({ code: 'ERR_KEY' })
    await expect(gate.addKey(gate.signer)).rejects.toMatchObject({ code: 'ERR_KEY' })
    expect(await gate.receipts()).toEqual(before)
    expect(gate.events.filter(({ event }) => event === 'receipt-failed')).toEqual([])
    await gate.close()
  })

  it('does not say that a key was announced where the store does not', async () => {
    const gate = testGate()
    await gate.close()
    await expect(gate.addKey(generateSigner())).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })
})
