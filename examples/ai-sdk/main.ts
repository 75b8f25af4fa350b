/**
 * A support agent that may refund small sums by itself and must ask the customer's own yes for larger ones.
 *
 * Run it with `npm run examples`, or `node examples/ai-sdk/main.ts` after `npm run build`. No key and no network: the model
 * is the AI SDK's own mock, scripted. Everything else is real, and the story checks itself.
 */
import assert from 'node:assert/strict'
import path from 'node:path'
import { isStepCount, streamText, tool } from 'ai'
import { MockLanguageModelV4, simulateReadableStream } from 'ai/test'
import { createGate } from 'holdpoint'
import { guardTools, respond } from 'holdpoint/ai-sdk'
import { z } from 'zod'

// ── What an app writes ────────────────────────────────────────────────────────────────────────────

/** Once per process. Reads `holdpoint.yaml` and the policy in `examples/support`. */
const gate = createGate({ config: path.join(import.meta.dirname, '../support') })

const refunds: object[] = []
const tools = {
  order: tool({
    description: 'Look up an order',
    inputSchema: z.object({ id: z.string() }),
    execute: async ({ id }) => ({ id, paid: 900, currency: 'EUR' }),
  }),
  refund: tool({
    description: 'Pay an order back',
    inputSchema: z.object({ order: z.string(), amount: z.number() }),
    execute: async (input) => {
      refunds.push(input)
      return 'refunded'
    },
  }),
}

/** Once per request: who is asking, and where. */
async function chat(user: string): Promise<Response> {
  const me = gate.as({ user, agent: 'support' }, { conversation: `chat-${user}` })
  const result = streamText({
    model,
    prompt: 'I want my money back.',
    stopWhen: isStepCount(5),
    ...guardTools(tools, me),
  })
  return respond(result, me)
}

// ── The scripted model ────────────────────────────────────────────────────────────────────────────

const script = [
  [call('order', { id: 'A-1' }, 'c1')],
  [call('refund', { order: 'A-1', amount: 900 }, 'c2')],
  [call('refund', { order: 'A-1', amount: 40 }, 'c3')],
]
let step = 0
const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}
const model = new MockLanguageModelV4({
  doStream: async () => {
    const calls = script[step++]
    const said = calls ?? [
      { type: 'text-start' as const, id: 't' },
      { type: 'text-delta' as const, id: 't', delta: 'I refunded 40 EUR.' },
      { type: 'text-end' as const, id: 't' },
    ]
    const unified = calls === undefined ? ('stop' as const) : ('tool-calls' as const)
    return {
      stream: simulateReadableStream({
        chunks: [...said, { type: 'finish' as const, finishReason: { unified, raw: undefined }, usage }],
      }),
    }
  },
})

function call(toolName: string, input: object, toolCallId: string) {
  return { type: 'tool-call' as const, toolCallId, toolName, input: JSON.stringify(input) }
}

// ── The story ─────────────────────────────────────────────────────────────────────────────────────

const stream = await (await chat('alice')).text()
const parts = stream
  .split('\n')
  .flatMap((line) => (line.startsWith('data: {"type":"data-holdpoint"') ? [JSON.parse(line.slice(6)).data] : []))
for (const { tool: name, outcome, refusal, receipts } of parts) {
  console.log(
    `${outcome.padEnd(9)} ${name.padEnd(7)} ${refusal?.message ?? ''}  ${receipts.map((receipt: { id: string }) => receipt.id).join(' ')}`,
  )
}

assert.deepEqual(refunds, [{ order: 'A-1', amount: 40 }], 'only the small refund was paid')
assert.deepEqual(
  parts.map((part) => [part.tool, part.outcome, part.refusal?.code]),
  [
    ['order', 'permitted', undefined],
    ['refund', 'refused', 'denied_by_policy'],
    ['refund', 'permitted', undefined],
  ],
)
assert.match(JSON.stringify(model.doStreamCalls.at(-1)?.prompt), /Refunds above 500 EUR/, 'the model was told why')
assert.doesNotMatch(JSON.stringify(model.doStreamCalls.at(-1)?.prompt), /eyJ/, 'and got no receipt')
await gate.close()
