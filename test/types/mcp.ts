/** What a user of either MCP SDK may rely on in their editor. Compiled by `tsc -p test/types`; it never runs. */
import { Client as ClientV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { Server as ServerV1 } from '@modelcontextprotocol/sdk/server/index.js'
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { createMcpHandler, McpServer as McpServerV2, Server as ServerV2 } from '@modelcontextprotocol/server'
import { guardClient, guardServer } from '../../adapters/mcp/index.ts'
import type { Gate } from '../../src/index.ts'

declare const gate: Gate
const info = { name: 'shop', version: '1.0.0' }
const able = { capabilities: { tools: {} } }

// The very class comes out again, so that everything that it can do is still there.
export const servers: readonly [McpServerV1, ServerV1, McpServerV2, ServerV2] = [
  guardServer(new McpServerV1(info), gate),
  guardServer(new ServerV1(info, able), gate),
  guardServer(new McpServerV2(info), gate),
  guardServer(new ServerV2(info, able), gate),
]
export const clients: readonly [ClientV1, ClientV2] = [
  guardClient(new ClientV1(info), gate, { server: 'shop' }),
  guardClient(new ClientV2(info), gate, { server: 'shop' }),
]
/** Both eras at one address. */
export const handler = createMcpHandler(({ authInfo }) =>
  guardServer(new McpServerV2(info), gate.as({ user: authInfo?.clientId ?? 'nobody' })),
)

guardServer(new McpServerV1(info), gate, { server: 'shop', onSilence: 'hold', holdMs: 1_000 })
guardServer(new McpServerV1(info), gate, { viewFor: (extra) => (extra === undefined ? gate : gate.as({ user: 'a' })) })
class Own extends McpServerV2 {
  readonly more = 1
}
export const more: number = guardServer(new Own(info), gate).more

// @ts-expect-error what a third party's server is called here is the operator's to say
guardClient(new ClientV1(info), gate)
// @ts-expect-error a gate is not optional
guardServer(new McpServerV1(info))
// @ts-expect-error an option that does not exist
guardServer(new McpServerV1(info), gate, { observe: true })
// @ts-expect-error nothing that connects
guardServer({ name: 'shop' }, gate)
