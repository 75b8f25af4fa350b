/**
 * The support agent in the OpenAI Agents SDK. It may refund small sums by itself; above 500 EUR the policy says no.
 *
 * Run it with `npm run examples`, or `node examples/openai-agents/main.ts` after `npm run build`. No key and no network: the model is
 * scripted. Everything else is real, and the story checks itself.
 */
import assert from 'node:assert/strict'
import {
  Agent,
  type AgentOutputItem,
  type Model,
  type ModelRequest,
  Runner,
  type StreamEvent,
  tool,
  Usage,
} from '@openai/agents'
import { guardAgent, type HoldpointData, runOptions } from 'holdpoint/openai-agents'
import { z } from 'zod'
import { createShop, LAST_WORDS, openGate, SCRIPT, tell } from '../support/agent.ts'

// ── What an app writes ────────────────────────────────────────────────────────────────────────────

/** Once per process. Reads `holdpoint.yaml` and the policy in `examples/support`. */
const gate = openGate()
const shop = createShop()

const order = tool({
  description: 'Look up an order',
  name: 'order',
  parameters: z.object({ id: z.string() }),
  execute: shop.order,
})
const refund = tool({
  description: 'Pay an order back',
  name: 'refund',
  parameters: z.object({ order: z.string(), amount: z.number() }),
  execute: shop.refund,
})

/** Once per request: who is asking, and where. */
async function chat(user: string) {
  const me = gate.as({ user, agent: 'support' }, { conversation: `chat-${user}` })
  const support = new Agent({ name: 'Support', model: scripted(), tools: [order, refund] })
  const runner = new Runner({ tracingDisabled: true, ...runOptions(me) })
  return await runner.run(guardAgent(support, me), 'I want my money back.')
}

// ── The scripted model ────────────────────────────────────────────────────────────────────────────

const prompts: ModelRequest['input'][] = []

function scripted(): Model {
  const getResponse = async ({ input }: ModelRequest) => {
    const call = SCRIPT[prompts.length]
    prompts.push(structuredClone(input))
    const output: AgentOutputItem[] = [
      call === undefined
        ? {
            type: 'message',
            role: 'assistant',
            status: 'completed',
            content: [{ type: 'output_text', text: LAST_WORDS }],
          }
        : { type: 'function_call', callId: call.id, name: call.tool, arguments: JSON.stringify(call.input) },
    ]
    return { usage: new Usage(), output }
  }
  return {
    getResponse,
    getStreamedResponse: (): AsyncIterable<StreamEvent> => {
      throw new Error('nothing here streams')
    },
  }
}

// ── The story ─────────────────────────────────────────────────────────────────────────────────────

const result = await chat('alice')
const items = prompts.at(-1) ?? []
const told = new Map(
  typeof items === 'string'
    ? []
    : items.flatMap((item) =>
        item.type === 'function_call_result' ? [[item.callId, textOf(item.output)] as const] : [],
      ),
)
tell(shop.refunds, told, JSON.stringify(prompts))

// The receipts stand beside each output, where the model never looks.
const beside = result.newItems.flatMap((item) =>
  item.type === 'tool_call_output_item' ? [(item.customData as { holdpoint: HoldpointData }).holdpoint] : [],
)
for (const { tool: name, outcome, receipts } of beside)
  console.log(`${outcome.padEnd(9)} ${name.padEnd(7)} ${receipts.map(({ id }) => id).join(' ')}`)
assert.deepEqual(
  beside.map(({ outcome, receipts }) => [outcome, receipts.length]),
  [
    ['permitted', 2],
    ['refused', 1],
    ['permitted', 2],
  ],
)
assert.equal(result.finalOutput, LAST_WORDS)
await gate.close()

function textOf(output: unknown): string {
  return typeof output === 'string' ? output : String(Reflect.get(Object(output), 'text'))
}
