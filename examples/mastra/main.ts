/**
 * The support agent in Mastra: an agent, and the same tool as a step of a workflow.
 *
 * Run it with `npm run examples`, or `node examples/mastra/main.ts` after `npm run build`. No key and no network: the model is the AI
 * SDK's own mock, scripted. Everything else is real, and the story checks itself.
 */
import assert from 'node:assert/strict'
import { Agent, type AgentConfig } from '@mastra/core/agent'
import { createTool } from '@mastra/core/tools'
import { createStep, createWorkflow } from '@mastra/core/workflows'
import { MockLanguageModelV3 } from 'ai/test'
import { guardTools, reportOf } from 'holdpoint/mastra'
import { z } from 'zod'
import { createShop, LAST_WORDS, openGate, SCRIPT, tell } from '../support/agent.ts'

// ── What an app writes ────────────────────────────────────────────────────────────────────────────

/** Once per process. */
const gate = openGate()

const shop = createShop()
const Refund = z.object({ order: z.string(), amount: z.number() })
const tools = {
  order: createTool({
    id: 'order',
    description: 'Look up an order',
    inputSchema: z.object({ id: z.string() }),
    execute: async (input) => shop.order(input),
  }),
  refund: createTool({
    id: 'refund',
    description: 'Pay an order back',
    inputSchema: Refund,
    outputSchema: z.string(),
    execute: async (input) => shop.refund(input),
  }),
}

/** Once per request: who is asking, and where. */
async function chat(model: AgentConfig['model'], user: string) {
  const me = gate.as({ user, agent: 'support' }, { conversation: `chat-${user}` })
  const instructions = 'Help the customer.'
  const agent = new Agent({ id: 'support', name: 'support', instructions, model, tools: guardTools(tools, me) })
  await agent.generate('I want my money back.', { maxSteps: 5 })
  return me
}

/** A workflow knows no model: a refused step fails, and nothing after it takes the refusal for a result. */
async function workflow(user: string, amount: number) {
  const me = gate.as({ user, agent: 'support' }, { conversation: `workflow-${user}` })
  const paying = createWorkflow({ id: 'paying', inputSchema: Refund, outputSchema: z.string() })
    .then(createStep(guardTools(tools, me).refund))
    .commit()
  const run = await paying.createRun()
  return await run.start({ inputData: { order: 'A-1', amount } })
}

// ── The scripted model ────────────────────────────────────────────────────────────────────────────

const prompts: object[] = []
const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}
const model = new MockLanguageModelV3({
  doGenerate: async ({ prompt }) => {
    const call = SCRIPT[prompts.length]
    prompts.push(prompt)
    const unified = call === undefined ? ('stop' as const) : ('tool-calls' as const)
    return {
      content: [
        call === undefined
          ? { type: 'text', text: LAST_WORDS }
          : { type: 'tool-call', toolCallId: call.id, toolName: call.tool, input: JSON.stringify(call.input) },
      ],
      finishReason: { unified, raw: undefined },
      usage,
      warnings: [],
    }
  },
})

// ── The story ─────────────────────────────────────────────────────────────────────────────────────

const me = await chat(model as never, 'alice')
const results =
  model.doGenerateCalls.at(-1)?.prompt.flatMap(({ role, content }) => (role === 'tool' ? content : [])) ?? []
const told = results.flatMap((part) =>
  part.type === 'tool-result'
    ? [[part.toolCallId, 'value' in part.output ? textOf(part.output.value) : ''] as const]
    : [],
)
tell(shop.refunds, new Map(told), JSON.stringify(prompts))
const outcomes = SCRIPT.map(({ id }) => reportOf(me, id)?.outcome)
assert.deepEqual(outcomes, ['permitted', 'refused', 'permitted'], 'the receipts are in the side channel')

const [large, small] = [await workflow('bob', 900), await workflow('carol', 40)]
console.log(`workflow of 900: ${large.status}; workflow of 40: ${small.status}`)
assert.equal(large.status, 'failed')
assert.match(large.status === 'failed' ? large.error.message : '', /Refunds above 500 EUR/)
assert.equal(small.status, 'success')
assert.equal(shop.refunds.length, 2, 'the chat paid once, and so did the small workflow')
await gate.close()

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
