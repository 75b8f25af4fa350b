import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, it } from 'vitest'
import { guardClient, guardServer, REFUSAL_KEY } from '../../../adapters/mcp/index.ts'
import type { Refusal } from '../../../src/index.ts'
import { testGate } from '../../../src/testing.ts'
import { said } from '../../support/approvals.ts'
import { type Guard, mcpServerV1, PAIRINGS, type Person, type Told } from './parties.ts'

function asking() {
  const gate = testGate({ policy: 'ask/v1', server: 'notes', tools: { 'notes/delete_note': { materiality: 'high' } } })
  const ran: unknown[] = []
  const alice = gate.as({ user: 'alice' })
  const guards: Record<'server' | 'client', Guard> = {
    server: (party) => guardServer(party, alice),
    client: (party) => guardClient(party, alice, { server: 'notes' }),
  }
  return { alice, ran, note: (_tool: string, args: unknown) => ran.push(args), guards }
}

const DELETE = { name: 'delete_note', arguments: { id: '7' } }
const refusalOf = (told: Told) => told._meta?.[REFUSAL_KEY] as Refusal

/** The handshake of the earlier era is another request than the call: a server that is made for each request never hears of it. */
const FORGETFUL = 'v2 createMcpHandler, earlier era'

describe.each(PAIRINGS.filter(({ name }) => name !== FORGETFUL))('a person at the client: $name', ({ at, join }) => {
  it('is shown the call, and it runs once on their yes', async () => {
    const { ran, note, guards } = asking()
    const seen: string[] = []
    const person: Person = (question) => {
      seen.push(question)
      return { action: 'accept', content: { approve: true } }
    }
    const client = await join(note, guards[at], person)
    const told = await client.callTool(DELETE)
    expect(told.content).toEqual([{ type: 'text', text: 'delete_note done' }])
    expect(seen).toEqual([expect.stringContaining('may notes/delete_note run once')])
    expect(ran).toEqual([{ id: '7' }])
    await client.close()
  })

  it.each([
    ['says no', { action: 'decline' }, 'approval_declined'],
    ['leaves the box empty', { action: 'accept', content: { approve: false } }, 'approval_declined'],
    ['closes the form', { action: 'cancel' }, undefined],
  ] as const)('runs nothing where they %s', async (_what, answer, code) => {
    const { ran, note, guards } = asking()
    const client = await join(note, guards[at], () => answer)
    const told = await client.callTool(DELETE)
    expect(told.isError).toBe(true)
    expect(code === undefined || refusalOf(told).code === code).toBe(true)
    expect(ran).toEqual([])
    await client.close()
  })
})

describe.each(PAIRINGS)('nobody at the client: $name', ({ at, join }) => {
  it('is told a reference, and the same call runs once somebody has said yes to that elsewhere', async () => {
    const { alice, ran, note, guards } = asking()
    const client = await join(note, guards[at])
    const { code, remedy } = refusalOf(await client.callTool(DELETE))
    expect(code).toBe('approval_required')
    const ref = remedy.kind === 'request_approval' ? remedy.ref : ''
    expect(said(await alice.answer(ref, 'approved', { channel: 'terminal' }))).toBe('recorded')
    expect((await client.callTool(DELETE)).isError).not.toBe(true)
    expect(refusalOf(await client.callTool(DELETE)).code).toBe('approval_required')
    expect(ran).toEqual([{ id: '7' }])
    await client.close()
  })
})

describe('a server over HTTP, with sessions', () => {
  it('asks on the stream of the call, and answers there', async () => {
    const { ran, note, guards } = asking()
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => 's-1' })
    await guards.server(mcpServerV1(note)).connect(transport as never)
    const http = createServer((request, response) => void transport.handleRequest(request, response))
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const client = new Client({ name: 'app', version: '1.0.0' }, { capabilities: { elicitation: { form: {} } } })
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { approve: true } }))
    const url = new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`)
    // Without its standing stream, which this one does without, a client hears only what comes on the stream of its call.
    const fetched: typeof fetch = async (to, init) =>
      init?.method === 'GET' ? new Response(null, { status: 405 }) : await fetch(to, init)
    await client.connect(new StreamableHTTPClientTransport(url, { fetch: fetched }) as never)
    expect((await client.callTool(DELETE)).isError).not.toBe(true)
    expect(ran).toEqual([{ id: '7' }])
    await client.close()
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  })
})
