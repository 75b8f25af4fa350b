/**
 * The support agent in the Anthropic SDK: its tool runner.
 *
 * Run it with `npm run examples`, or `node examples/anthropic/main.ts` after `npm run build`. No key and no network: the client is the
 * real one, and a script answers its requests. The story checks itself.
 */
import assert from 'node:assert/strict'
import Anthropic from '@anthropic-ai/sdk'
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import { guardRunner, guardTools, reportOf } from 'holdpoint/anthropic'
import { z } from 'zod'
import { createShop, LAST_WORDS, openGate, SCRIPT, tell } from '../support/agent.ts'

// ── What an app writes ────────────────────────────────────────────────────────────────────────────

/** Once per process. */
const gate = openGate()

const shop = createShop()
const order = betaZodTool({
  name: 'order',
  description: 'Look up an order',
  inputSchema: z.object({ id: z.string() }),
  run: (input) => JSON.stringify(shop.order(input)),
})
const refund = betaZodTool({
  name: 'refund',
  description: 'Pay an order back',
  inputSchema: z.object({ order: z.string(), amount: z.number() }),
  run: shop.refund,
})

/** Once per request: who is asking, and where. */
async function chat(client: Anthropic, user: string) {
  const me = gate.as({ user, agent: 'support' }, { conversation: `chat-${user}` })
  const runner = client.beta.messages.toolRunner({
    model: 'scripted',
    max_tokens: 1_000,
    messages: [{ role: 'user', content: 'I want my money back.' }],
    tools: guardTools([order, refund], me),
  })
  const final = await guardRunner(runner, me)
  return { me, final, messages: runner.params.messages }
}

// ── The scripted model ────────────────────────────────────────────────────────────────────────────

const requests: unknown[] = []
const client = new Anthropic({
  apiKey: 'none',
  fetch: async (_url, init) => {
    const call = SCRIPT[requests.length]
    requests.push(JSON.parse(String(init?.body)))
    const block =
      call === undefined
        ? { type: 'text', text: LAST_WORDS }
        : { type: 'tool_use', id: call.id, name: call.tool, input: call.input }
    return Response.json({
      id: `msg_${requests.length}`,
      type: 'message',
      role: 'assistant',
      model: 'scripted',
      content: [block],
      stop_reason: call === undefined ? 'end_turn' : 'tool_use',
      usage: { input_tokens: 1, output_tokens: 1 },
    })
  },
})

// ── The story ─────────────────────────────────────────────────────────────────────────────────────

const { me, final, messages } = await chat(client, 'alice')
const results = messages
  .flatMap(({ content }) => (Array.isArray(content) ? content : []))
  .filter((block) => block.type === 'tool_result')
const told = results.map(
  ({ tool_use_id: id, content }) => [id, typeof content === 'string' ? content : JSON.stringify(content)] as const,
)
tell(shop.refunds, new Map(told), JSON.stringify([requests, messages]))

assert.deepEqual(
  results.map(({ is_error }) => is_error === true),
  [false, true, false],
  'a refusal is an error to the model',
)
assert.deepEqual(final.content, [{ type: 'text', text: LAST_WORDS }], 'and the run went on')
const outcomes = SCRIPT.map(({ id }) => reportOf(me, id)?.outcome)
assert.deepEqual(outcomes, ['permitted', 'refused', 'permitted'], 'the receipts are in the side channel')
await gate.close()
