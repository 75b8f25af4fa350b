/** `@modelcontextprotocol/server` and `client` 2, in the era of 2026-07-28. */
import { Client, InMemoryTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, isSpecType, McpServer, Server } from '@modelcontextprotocol/server'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { type Carrier, HostWire } from './host-wire.ts'
import {
  app,
  CAPABLE,
  carriedOut,
  type HostClient,
  info,
  listening,
  type Result,
  type Sdk,
  schemasOf,
  type Tools,
} from './sdk.ts'

class ClientOfHost extends Client implements HostClient {
  wire: HostWire | undefined

  override async connect(transport: never): Promise<void> {
    this.wire = new HostWire(transport)
    await super.connect(this.wire.transport as never)
  }

  async list(): Promise<unknown> {
    return await this.listTools()
  }

  async call(name: string, input: unknown, meta: object, signal: AbortSignal | undefined): Promise<Result> {
    const params = { name, arguments: input as Record<string, unknown>, _meta: { ...meta } }
    const options = { onprogress: () => undefined, ...(signal === undefined ? {} : { signal }) }
    return (await this.callTool(params, options)) as Result
  }
}

function mcpServer(tools: Tools): McpServer {
  const server = new McpServer(info)
  for (const [name, tool] of Object.entries(tools)) {
    const config = { description: name, ...schemasOf(tool) }
    server.registerTool(
      name,
      config as never,
      (async (input: unknown, { mcpReq }: Context) =>
        await carriedOut(tool, input, {
          signal: mcpReq.signal,
          token: mcpReq._meta?.progressToken,
          notify: (notification) => mcpReq.notify(notification as never),
        })) as never,
    )
  }
  return server
}

interface Context {
  readonly mcpReq: {
    readonly signal: AbortSignal
    readonly _meta?: { readonly progressToken?: unknown }
    readonly notify: (notification: never) => Promise<void>
  }
}

export const SDK_2: Sdk = {
  server: '@modelcontextprotocol/server 2',
  client: '@modelcontextprotocol/client 2',
  era: '2026-07-28',
  makeClient: (answer) => {
    const client = new ClientOfHost(app, { ...CAPABLE, versionNegotiation: { mode: { pin: '2026-07-28' } } })
    client.setRequestHandler('elicitation/create', async () => await answer())
    return client
  },
  makeServer: mcpServer,
  makeOddServer: (listed, result) => {
    const server = new Server(info, { capabilities: { tools: {} } })
    server.setRequestHandler('tools/list', () => listed as never)
    server.setRequestHandler('tools/call', () => result as never)
    return server
  },
  serve: async (make, at) => void serveStdio(make as never, { transport: at as never }),
  pair: () => InMemoryTransport.createLinkedPair() as unknown as readonly [Carrier, Carrier],
  lines: (from, to) => new StdioServerTransport(from, to) as unknown as Carrier,
  listen: async (make) => {
    const answer = toNodeHandler(createMcpHandler(make as never))
    return await listening((request, response) => void answer(request as never, response as never))
  },
  overHttp: (at) => new StreamableHTTPClientTransport(at) as unknown as Carrier,
  handled: (make) => {
    const handler = createMcpHandler(make as never)
    const fetched = async (url: URL | string, init?: RequestInit) => await handler.fetch(new Request(url, init))
    return new StreamableHTTPClientTransport(new URL('http://tools.test/mcp'), { fetch: fetched }) as unknown as Carrier
  },
  validate: (result) => {
    if (!isSpecType.CallToolResult(result)) throw new Error(`${JSON.stringify(result)} is no CallToolResult`)
  },
}
