/** `@modelcontextprotocol/sdk` 1, which speaks the earlier era. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import {
  CallToolRequestSchema,
  CallToolResultSchema,
  ElicitRequestSchema,
  ListToolsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'
import { type Carrier, HostWire } from './host-wire.ts'
import {
  app,
  CAPABLE,
  carriedOut,
  type HostClient,
  info,
  listening,
  type Party,
  type Result,
  type Sdk,
  type Surroundings,
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
    return await this.callTool(params, CallToolResultSchema, options)
  }
}

function mcpServer(tools: Tools): McpServer {
  const server = new McpServer(info)
  for (const [name, tool] of Object.entries(tools)) {
    const config = { description: name, ...schemasOf(tool) }
    server.registerTool(
      name,
      config as never,
      (async (input: unknown, extra: Extra) => await carriedOut(tool, input, surroundingsIn(extra))) as never,
    )
  }
  return server
}

type Extra = Parameters<Parameters<Server['setRequestHandler']>[1]>[1]

function surroundingsIn({ signal, _meta, sendNotification }: Extra): Surroundings {
  return { signal, token: _meta?.progressToken, notify: (notification) => sendNotification(notification as never) }
}

function bareServer(listed: object, answer: (params: never, extra: Extra) => unknown): Server {
  const server = new Server(info, { capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, () => listed as never)
  server.setRequestHandler(
    CallToolRequestSchema,
    async ({ params }, extra) => (await answer(params as never, extra)) as never,
  )
  return server
}

/** A server without `McpServer`: what its tools throw is an error of the protocol. */
function plainServer(tools: Tools): Server {
  const listed = Object.entries(tools).map(([name, tool]) => {
    const { inputSchema, outputSchema } = schemasOf(tool)
    return {
      name,
      inputSchema: z.toJSONSchema(inputSchema, { io: 'input' }),
      ...(outputSchema === undefined ? {} : { outputSchema: z.toJSONSchema(outputSchema) }),
    }
  })
  const held = new Map(Object.entries(tools))
  return bareServer({ tools: listed }, async ({ name, arguments: input }: ScriptedParams, extra) => {
    const tool = held.get(name)
    if (tool === undefined) throw new Error(`no ${name} here`)
    return await carriedOut(tool, tool.input.parse(input), surroundingsIn(extra))
  })
}

interface ScriptedParams {
  readonly name: string
  readonly arguments?: unknown
}

function sdkOf(makeServer: (tools: Tools) => Party): Sdk {
  return {
    server: '@modelcontextprotocol/sdk 1',
    client: '@modelcontextprotocol/sdk 1',
    era: '2025-11-25',
    makeClient: (answer) => {
      const client = new ClientOfHost(app, CAPABLE)
      client.setRequestHandler(ElicitRequestSchema, async () => (await answer()) as Record<string, unknown>)
      return client
    },
    makeServer,
    makeOddServer: (listed, result) => bareServer(listed, () => result),
    serve: async (make, at) => void (await make().connect(at as never)),
    pair: () => InMemoryTransport.createLinkedPair() as unknown as readonly [Carrier, Carrier],
    lines: (from, to) => new StdioServerTransport(from, to) as Carrier,
    listen: async (make) => {
      const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => 'session' })
      await make().connect(transport as never)
      return await listening((request, response) => void transport.handleRequest(request, response))
    },
    overHttp: (at) => new StreamableHTTPClientTransport(at) as Carrier,
    validate: (result) => void CallToolResultSchema.parse(result),
  }
}

/** With `McpServer`, and with the `Server` beneath it. */
export const SDK_1 = sdkOf(mcpServer)
export const SDK_1_PLAIN = sdkOf(plainServer)
