import { resolve } from 'node:path'
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, it } from 'vitest'
import { startStage } from './http-stage.ts'

const APP = { name: 'app', version: '1.0.0' }
const CAPABILITIES = { capabilities: { elicitation: {} } }
const TELLING = [process.execPath, resolve(import.meta.dirname, '../../support/telling-server-child.ts')] as const

/** Answers what the gate asks the person. */
type Person = (message: string) => {
  readonly action: 'accept' | 'decline'
  readonly content?: { readonly approve: boolean }
}

interface Caller {
  listTools(): Promise<{ readonly tools: readonly { readonly name: string }[] }>
  callTool(params: { readonly name: string; readonly arguments: Record<string, unknown> }): Promise<{
    readonly content?: unknown
    readonly isError?: unknown
  }>
  close(): Promise<void>
}

async function connectV1(url: URL, person: Person): Promise<Caller> {
  const client = new ClientV1(APP, CAPABILITIES)
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({ ...person(params.message) }))
  await client.connect(new TransportV1(url) as never)
  return client as Caller
}

async function connectV2(url: URL, person: Person, mode?: 'modern'): Promise<Caller> {
  const versions = mode === undefined ? {} : { versionNegotiation: { mode: { pin: '2026-07-28' } } as const }
  const client = new ClientV2(APP, { ...CAPABILITIES, ...versions })
  client.setRequestHandler('elicitation/create', ({ params }) => ({ ...person(params.message) }))
  await client.connect(new TransportV2(url))
  return client as Caller
}

const CLIENTS = [
  ['SDK v1', connectV1],
  ['SDK v2, earlier era', connectV2],
  ['SDK v2, later era', (url: URL, person: Person) => connectV2(url, person, 'modern')],
] as const
const SERVERS = [
  ['HTTP', {}],
  ['stdio', { command: TELLING }],
] as const

describe.each(SERVERS)('in front of a server over %s', (_server, terms) => {
  it.each(CLIENTS)(
    'a client of %s lists, calls, and asks its person, whose word counts once',
    async (_client, connect) => {
      const stage = await startStage({
        ...terms,
        gate: {
          policy: 'ask/v1',
          tools: { 'notes/wipe': { materiality: 'high' }, 'notes/get': { materiality: 'low' } },
        },
      })
      const words: Parameters<Person>[0][] = []
      const answers: ReturnType<Person>[] = [{ action: 'accept', content: { approve: true } }, { action: 'decline' }]
      const client = await connect(new URL(stage.url), (message) => {
        words.push(message)
        return answers.shift() ?? { action: 'decline' }
      })
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name)).toContain('wipe')
      expect(await client.callTool({ name: 'get', arguments: {} })).not.toHaveProperty('isError')
      expect(await client.callTool({ name: 'wipe', arguments: { id: '7' } })).not.toHaveProperty('isError')
      expect((await client.callTool({ name: 'wipe', arguments: { id: '7' } })).isError).toBe(true)
      expect(words).toEqual([expect.stringContaining('notes/wipe'), expect.stringContaining('notes/wipe')])
      expect(await stage.outcomes(2)).toEqual(['ok', 'ok'])
      await client.close()
    },
  )
})
