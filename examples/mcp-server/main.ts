/**
 * An MCP server of one's own behind the gate, in one process: look orders up freely, refund small sums after a yes, and large
 * ones not at all.
 *
 * Run it with `npm run examples`, or `node examples/mcp-server/main.ts` after `npm run build`. No key and no network. Server,
 * client and gate are real; the wire is memory, and the person at the client is scripted. The story checks itself.
 */
import assert from 'node:assert/strict'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { createGate } from 'holdpoint'
import { guardServer, RECEIPT_KEY } from 'holdpoint/mcp'
import { z } from 'zod'

// ── What an app writes ────────────────────────────────────────────────────────────────────────────

/** Once per process. Reads `holdpoint.yaml` and the policy beside this file. */
const gate = createGate({ config: import.meta.dirname })

const refunds: object[] = []

/** Once per connection: whose it is. */
function shopFor(user: string): McpServer {
  const shop = new McpServer({ name: 'shop', version: '1.0.0' })
  shop.registerTool('order', { description: 'Look up an order', inputSchema: { id: z.string() } }, ({ id }) => ({
    content: [{ type: 'text', text: `${id}: 900 EUR, paid` }],
  }))
  const schema = { order: z.string(), amount: z.number() }
  shop.registerTool('refund', { description: 'Pay an order back', inputSchema: schema }, (input) => {
    refunds.push(input)
    return { content: [{ type: 'text', text: 'refunded' }] }
  })
  return guardServer(shop, gate.as({ user }))
}

// ── The client, and the person at it ──────────────────────────────────────────────────────────────

const questions: string[] = []
const client = new Client({ name: 'app', version: '1.0.0' }, { capabilities: { elicitation: { form: {} } } })
client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
  questions.push(params.message)
  return { action: 'accept', content: { approve: true } }
})

// ── The story ─────────────────────────────────────────────────────────────────────────────────────

const [near, far] = InMemoryTransport.createLinkedPair()
await shopFor('alice').connect(far)
await client.connect(near)

async function call(name: string, input: Record<string, unknown>): Promise<string> {
  const { content, _meta } = await client.callTool({ name, arguments: input })
  const [first] = content as readonly { readonly text: string }[]
  const receipt = _meta?.[RECEIPT_KEY] as { readonly id: string }
  console.log(
    `${name.padEnd(7)} ${JSON.stringify(input).padEnd(31)} ${first?.text.split('\n')[1] ?? first?.text}  ${receipt.id}`,
  )
  return first?.text ?? ''
}

assert.match(await call('order', { id: 'A-1' }), /900 EUR/)
assert.match(await call('refund', { order: 'A-1', amount: 900 }), /Refunds above 500 EUR/, 'the model is told why')
assert.equal(await call('refund', { order: 'A-1', amount: 40 }), 'refunded')

assert.deepEqual(refunds, [{ order: 'A-1', amount: 40 }], 'only the small refund was paid')
assert.equal(questions.length, 1, 'nobody was asked about what no yes could change')
assert.match(questions[0] ?? '', /\{"amount":40,"order":"A-1"\}/, 'and the person saw what would run')
await client.close()
await gate.close()
