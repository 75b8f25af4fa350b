/**
 * The support agent in the Claude Agent SDK.
 *
 * Run it with `npm run examples`, or `node examples/claude-agent/main.ts` after `npm run build`. No key: the CLI is the real one, and a
 * script answers where Anthropic's API would. The story checks itself.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createSdkMcpServer, query, tool } from '@anthropic-ai/claude-agent-sdk'
import { claudeOptions, guardTools, reportOf } from 'holdpoint/claude-agent'
import { z } from 'zod'
import { createShop, LAST_WORDS, openGate, SCRIPT, tell } from '../support/agent.ts'

// ── What an app writes ────────────────────────────────────────────────────────────────────────────

/** Once per process. */
const gate = openGate()

const shop = createShop()
const said = (text: string) => ({ content: [{ type: 'text' as const, text }] })
const order = tool('order', 'Look up an order', { id: z.string() }, async (input) =>
  said(JSON.stringify(shop.order(input))),
)
const refund = tool('refund', 'Pay an order back', { order: z.string(), amount: z.number() }, async (input) =>
  said(shop.refund(input)),
)

/** Once per request: who is asking, and where. */
function chat(user: string) {
  const me = gate.as({ user, agent: 'support' }, { conversation: `chat-${user}` })
  const tools = guardTools([order, refund], me, { server: 'shop' })
  const talk = query({
    prompt: 'I want my money back.',
    options: {
      ...claudeOptions(me),
      tools: [],
      mcpServers: { shop: createSdkMcpServer({ name: 'shop', tools }) },
      ...surroundings,
    },
  })
  return { me, talk }
}

// ── The scripted model ────────────────────────────────────────────────────────────────────────────

interface Asked {
  readonly tools?: readonly unknown[]
  readonly messages: readonly { readonly content: unknown }[]
}

const prompts: Asked[] = []
const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  const asked = JSON.parse(body || '{}') as Asked
  const isTurn = request.url?.startsWith('/v1/messages?') === true && (asked.tools?.length ?? 0) > 0
  const step = isTurn ? SCRIPT[prompts.push(asked) - 1] : undefined
  const block =
    step === undefined
      ? { type: 'text', text: LAST_WORDS }
      : { type: 'tool_use', id: step.id, name: `mcp__shop__${step.tool}`, input: step.input }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const event of eventsOf(block)) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  response.end()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

/** One reply as the API streams it. */
function eventsOf(block: { type: string; text?: string; input?: unknown }): readonly { readonly type: string }[] {
  const usage = { input_tokens: 1, output_tokens: 1 }
  const message = {
    id: `msg_${prompts.length}`,
    type: 'message',
    role: 'assistant',
    model: 'scripted',
    content: [],
    usage,
  }
  const isText = block.type === 'text'
  const start = isText ? { ...block, text: '' } : { ...block, input: {} }
  const delta = isText
    ? { type: 'text_delta', text: block.text }
    : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) }
  return [
    { type: 'message_start', ...{ message } },
    { type: 'content_block_start', ...{ index: 0, content_block: start } },
    { type: 'content_block_delta', ...{ index: 0, delta } },
    { type: 'content_block_stop', ...{ index: 0 } },
    { type: 'message_delta', ...{ delta: { stop_reason: isText ? 'end_turn' : 'tool_use' }, usage } },
    { type: 'message_stop' },
  ]
}

const home = mkdtempSync(path.join(tmpdir(), 'holdpoint-claude-'))
const surroundings = {
  cwd: home,
  model: 'claude-sonnet-4-5',
  settingSources: [],
  env: {
    PATH: process.env['PATH'],
    HOME: home,
    CLAUDE_CONFIG_DIR: path.join(home, '.claude'),
    ANTHROPIC_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ANTHROPIC_API_KEY: 'no-key',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  },
}

// ── The story ─────────────────────────────────────────────────────────────────────────────────────

const { me, talk } = chat('alice')
let words: string | undefined
for await (const message of talk) if (message.type === 'result' && message.subtype === 'success') words = message.result
server.closeAllConnections()
server.close()
rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })

const told = new Map(
  (prompts.at(-1)?.messages ?? []).flatMap(({ content }) =>
    (Array.isArray(content) ? content : []).flatMap((block) =>
      block.type === 'tool_result' ? [[block.tool_use_id as string, textOf(block.content)] as const] : [],
    ),
  ),
)
tell(shop.refunds, told, JSON.stringify(prompts))
assert.equal(words, LAST_WORDS)
assert.deepEqual(
  SCRIPT.map(({ id }) => reportOf(me, id)?.receipts.map(({ kind }) => kind)),
  [['decision', 'outcome'], ['decision'], ['decision', 'outcome']],
  'each call left its receipts, and no message holds one',
)
await gate.close()

function textOf(content: unknown): string {
  return Array.isArray(content) ? content.map(({ text }) => text ?? '').join('\n') : String(content)
}
