import { Client as ClientV2 } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { describe, expect, it } from 'vitest'
import { guardClient, REFUSAL_KEY } from '../../../adapters/mcp/index.ts'
import { testGate } from '../../../src/testing.ts'
import type { Caller } from './parties.ts'

const app = { name: 'app', version: '1.0.0' }
const child = new URL('./notes-child.ts', import.meta.url).pathname
const NO_DELETES = '@id("no-deletes") forbid (principal, action == Action::"notes/delete_note", resource);'
const PERMIT = '@id("rest") permit (principal, action, resource);'

/** The SDKs hand little on to a process: without this each compiles everything anew. */
const CACHED = { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '' }

/** How the client of SDK v2 finds out what the process speaks: by asking, or not at all. */
const ERAS = [
  ['asked for', { mode: 'auto' }],
  ['2026-07-28', { mode: { pin: '2026-07-28' } }],
] as const

/** A client and the process that it starts, with what that says of its own runs. */
function started(party: 'v1' | 'v2', given: string, versionNegotiation?: object) {
  const command = { command: process.execPath, args: [child, given], env: CACHED, stderr: 'pipe' as const }
  const wire = party === 'v1' ? new StdioV1(command) : new StdioV2(command)
  const ran: string[] = []
  wire.stderr?.on('data', (chunk: Buffer) => ran.push(...(chunk.toString().match(/ran \w+/g) ?? [])))
  const client =
    party === 'v1'
      ? new ClientV1(app)
      : new ClientV2(app, versionNegotiation === undefined ? {} : { versionNegotiation })
  const join = async (on: ClientV1 | ClientV2): Promise<Caller> => {
    await on.connect(wire as never)
    return on as Caller
  }
  return { client, join, ran }
}

async function tryBoth(client: Caller, ran: readonly string[]): Promise<void> {
  const denied = await client.callTool({ name: 'delete_note', arguments: { id: '7' } })
  expect(denied._meta?.[REFUSAL_KEY]).toMatchObject({ code: 'denied_by_policy' })
  const permitted = await client.callTool({ name: 'read_note', arguments: { id: '7' } })
  expect(permitted.content).toEqual([{ type: 'text', text: 'read_note done' }])
  await client.close()
  expect(ran).toEqual(['ran read_note'])
}

describe('over stdio', () => {
  it('a guarded server runs what is permitted', async () => {
    const { client, join, ran } = started('v2', 'guarded', { mode: 'auto' })
    await tryBoth(await join(client), ran)
  })

  it.each(ERAS)('a guarded client of SDK v2 sends what is permitted, the era %s', async (_name, era) => {
    const { client, join, ran } = started('v2', 'open', era)
    const gate = testGate({ policy: `${PERMIT}\n${NO_DELETES}` })
    await tryBoth(await join(guardClient(client, gate.as({ user: 'alice' }), { server: 'notes' })), ran)
  })

  it('a guarded client of SDK v1 sends what is permitted', async () => {
    const { client, join, ran } = started('v1', 'open')
    const gate = testGate({ policy: `${PERMIT}\n${NO_DELETES}` })
    await tryBoth(await join(guardClient(client, gate.as({ user: 'alice' }), { server: 'notes' })), ran)
  })
})
