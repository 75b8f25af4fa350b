import { describe, expect, it } from 'vitest'
import { guardClient, guardServer, RECEIPT_KEY, REFUSAL_KEY } from '../../../adapters/mcp/index.ts'
import { testGate } from '../../../src/testing.ts'
import { type Guard, PAIRINGS } from './parties.ts'

const POLICY = `
@id("reads") permit (principal, action in Action::"low", resource);
@id("no-deletes") forbid (principal, action == Action::"notes/delete_note", resource);
`

function gated() {
  const gate = testGate({
    policy: POLICY,
    server: 'notes',
    tools: { 'notes/read_note': { materiality: 'low' }, 'notes/delete_note': { materiality: 'high' } },
  })
  const ran: (readonly [string, unknown])[] = []
  const note = (tool: string, args: unknown) => ran.push([tool, args])
  const alice = gate.as({ user: 'alice' })
  const guards: Record<'server' | 'client', Guard> = {
    server: (party) => guardServer(party, alice),
    client: (party) => guardClient(party, alice, { server: 'notes' }),
  }
  return { gate, ran, note, guards }
}

describe.each(PAIRINGS)('$name', ({ at, join }) => {
  it('runs what is permitted, once, with the decided arguments and the receipt of the decision', async () => {
    const { gate, ran, note, guards } = gated()
    const client = await join(note, guards[at])
    const told = await client.callTool({ name: 'read_note', arguments: { id: '7' } })
    expect(told.content).toEqual([{ type: 'text', text: 'read_note done' }])
    expect(told.isError).not.toBe(true)
    expect(told._meta?.[RECEIPT_KEY]).toMatchObject({ kind: 'decision', id: expect.stringMatching(/^r_/) })
    expect(ran).toEqual([['read_note', { id: '7' }]])
    await client.close()
    await gate.close()
    const kinds = (await gate.receipts()).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'decision' || kind === 'outcome')).toEqual(['decision', 'outcome'])
  })

  it('never runs what is refused, and tells the model why in one text', async () => {
    const { ran, note, guards } = gated()
    const client = await join(note, guards[at])
    const told = await client.callTool({ name: 'delete_note', arguments: { id: '7' } })
    expect(ran).toEqual([])
    expect(told.isError).toBe(true)
    expect(told.structuredContent).toBeUndefined()
    expect(told.content).toEqual([
      { type: 'text', text: expect.stringMatching(/^holdpoint refused this call\. notes\/delete_note did not run\./) },
    ])
    expect(told._meta?.[REFUSAL_KEY]).toMatchObject({ code: 'denied_by_policy', executed: false })
    await client.close()
  })

  it('refuses a tool that the server never listed', async () => {
    const { ran, note, guards } = gated()
    const client = await join(note, guards[at])
    const told = await client.callTool({ name: 'empty_bin', arguments: {} })
    expect(told._meta?.[REFUSAL_KEY]).toMatchObject({ code: 'tool_unknown' })
    expect(ran).toEqual([])
    await client.close()
  })
})
