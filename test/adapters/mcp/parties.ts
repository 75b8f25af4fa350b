/** Servers, clients and the wires between them, of both SDKs and both eras: what a gate is put in front of and behind. */
import {
  StreamableHTTPClientTransport as ClientHttpV2,
  InMemoryTransport as ClientMemoryV2,
  Client as ClientV2,
} from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport as MemoryV1 } from '@modelcontextprotocol/sdk/inMemory.js'
import { Server as ServerV1 } from '@modelcontextprotocol/sdk/server/index.js'
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { CallToolRequestSchema, ElicitRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { createMcpHandler, McpServer as McpServerV2, Server as ServerV2 } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** What a call gave, as far as any client tells it. */
export interface Told {
  readonly content?: unknown
  readonly isError?: unknown
  readonly structuredContent?: unknown
  readonly _meta?: Readonly<Record<string, unknown>>
}

/** The one method of either client that the tests use. */
export interface Caller {
  callTool(params: { readonly name: string; readonly arguments?: Record<string, unknown> }): Promise<Told>
  close(): Promise<void>
}

/** A server and a client of either SDK, joined by memory or by HTTP without a socket. */
export interface Pairing {
  readonly name: string
  /** Which of them the gate stands at. */
  readonly at: 'server' | 'client'
  /** `ran` learns of every execution. Without a person at the client it declares that it can ask nobody. */
  join(ran: Ran, guard: Guard, person?: Person): Promise<Caller>
}

/** What can be put on a wire. */
interface Party {
  connect(transport: never): Promise<unknown>
}

/** Puts a gate on whichever of the two it is meant for. */
export type Guard = <T extends Party>(party: T) => T

/** Whoever sits at the client: reads the question of a form and answers it. */
export type Person = (question: string) => {
  readonly action: 'accept' | 'decline' | 'cancel'
  readonly content?: Record<string, boolean>
}

const NAMES = ['read_note', 'delete_note'] as const
const info = { name: 'notes', version: '1.0.0' }
const app = { name: 'app', version: '1.0.0' }
const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] })

function clientV1(person: Person | undefined): ClientV1 {
  const client = new ClientV1(app, person === undefined ? {} : { capabilities: { elicitation: { form: {} } } })
  if (person !== undefined)
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => person(params.message) as Record<string, unknown>)
  return client
}

function clientV2(era: object, person: Person | undefined): ClientV2 {
  const client = new ClientV2(app, {
    ...era,
    ...(person === undefined ? {} : { capabilities: { elicitation: { form: {} } } }),
  })
  if (person !== undefined) client.setRequestHandler('elicitation/create', ({ params }) => person(params.message))
  return client
}

type Ran = (tool: string, args: unknown) => void

export function mcpServerV1(ran: Ran): McpServerV1 {
  const server = new McpServerV1(info)
  for (const name of NAMES) {
    server.registerTool(name, { description: `${name} of a person`, inputSchema: { id: z.string() } }, (args) => {
      ran(name, args)
      return text(`${name} done`)
    })
  }
  return server
}

export function serverV1(ran: Ran): ServerV1 {
  const server = new ServerV1(info, { capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: NAMES.map(listed) }))
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
    ran(params.name, params.arguments)
    return text(`${params.name} done`)
  })
  return server
}

export function mcpServerV2(ran: Ran): McpServerV2 {
  const server = new McpServerV2(info)
  for (const name of NAMES) {
    server.registerTool(
      name,
      { description: `${name} of a person`, inputSchema: z.object({ id: z.string() }) },
      (args: unknown) => {
        ran(name, args)
        return text(`${name} done`)
      },
    )
  }
  return server
}

export function serverV2(ran: Ran): ServerV2 {
  const server = new ServerV2(info, { capabilities: { tools: {} } })
  server.setRequestHandler('tools/list', () => ({ tools: NAMES.map(listed) }))
  server.setRequestHandler('tools/call', ({ params }) => {
    ran(params.name, params.arguments)
    return text(`${params.name} done`)
  })
  return server
}

function listed(name: string) {
  const properties = { id: { type: 'string' as const } }
  return { name, description: `${name} of a person`, inputSchema: { type: 'object' as const, properties } }
}

const MODERN = { versionNegotiation: { mode: { pin: '2026-07-28' } } } as const

function handled(make: () => McpServerV2): {
  readonly fetch: (url: URL | string, init?: RequestInit) => Promise<Response>
} {
  const handler = createMcpHandler(make)
  return { fetch: async (url, init) => await handler.fetch(new Request(url, init)) }
}

const ADDRESS = new URL('http://notes.local/mcp')

/** Joined by memory: the server is there first. */
async function joined(server: Party, client: Party, [near, far]: readonly [object, object]): Promise<Caller> {
  await server.connect(far as never)
  await client.connect(near as never)
  return client as Party & Caller
}

async function joinedOverHttp(client: ClientV2, make: () => McpServerV2): Promise<Caller> {
  await client.connect(new ClientHttpV2(ADDRESS, handled(make)))
  return client as Caller
}

/** The nine. */
export const PAIRINGS: readonly Pairing[] = [
  ...(
    [
      ['v1 McpServer', mcpServerV1],
      ['v1 Server', serverV1],
    ] as const
  ).map(
    ([name, make]): Pairing => ({
      name,
      at: 'server',
      join: (ran, guard, person) => joined(guard(make(ran)), clientV1(person), MemoryV1.createLinkedPair()),
    }),
  ),
  ...(
    [
      ['v2 McpServer', mcpServerV2],
      ['v2 Server', serverV2],
    ] as const
  ).map(
    ([name, make]): Pairing => ({
      name,
      at: 'server',
      join: (ran, guard, person) => joined(guard(make(ran)), clientV2({}, person), ClientMemoryV2.createLinkedPair()),
    }),
  ),
  ...(
    [
      ['v2 createMcpHandler, 2026-07-28', MODERN],
      ['v2 createMcpHandler, earlier era', {}],
    ] as const
  ).map(
    ([name, era]): Pairing => ({
      name,
      at: 'server',
      join: (ran, guard, person) => joinedOverHttp(clientV2(era, person), () => guard(mcpServerV2(ran))),
    }),
  ),
  {
    name: 'v1 Client',
    at: 'client',
    join: (ran, guard, person) => joined(mcpServerV1(ran), guard(clientV1(person)), MemoryV1.createLinkedPair()),
  },
  ...(
    [
      ['v2 Client, 2026-07-28', MODERN],
      ['v2 Client, earlier era', {}],
    ] as const
  ).map(
    ([name, era]): Pairing => ({
      name,
      at: 'client',
      join: (ran, guard, person) => joinedOverHttp(guard(clientV2(era, person)), () => mcpServerV2(ran)),
    }),
  ),
]
