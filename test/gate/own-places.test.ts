import { describe, expect, it } from 'vitest'
import { readReceipt } from '../../src/receipt/read.ts'
import { testGate } from '../../src/testing.ts'
import type { Json } from '../../src/types.ts'

async function recorded(input: Json, own?: { domains?: string[]; hosts?: string[] }) {
  const gate = testGate(own === undefined ? {} : { own })
  gate.register([{ name: 'find_notes', origin: 'own', inputSchema: { type: 'object' } }])
  const { receipt } = await gate.as({ user: 'ann' }).admit({ tool: 'find_notes', input, callId: 'c1' })
  const claims = receipt === undefined ? undefined : readReceipt(receipt.jws)
  await gate.close()
  return claims?.kind === 'decision' ? claims : undefined
}

describe("the operator's own domains and hosts, at the gate", () => {
  const input = { to: 'eve@evil.example', text: 'https://evil.example/' }

  it('raise what goes elsewhere, and the receipt says why without saying where', async () => {
    const claims = await recorded(input, { domains: ['Ours.example.'], hosts: ['ours.example'] })
    expect(claims).toMatchObject({ materiality: 'high' })
    expect(JSON.stringify(claims)).toContain("the call reaches somebody outside of the operator's domains")
    expect(JSON.stringify(claims)).not.toContain('evil')
  })

  it('change nothing where nothing is named', async () =>
    expect(await recorded(input)).toMatchObject({ materiality: 'low' }))
})
