/**
 * The support agent in LangChain: `createAgent` with the middleware, and a graph of one's own with a `ToolNode`.
 *
 * Run it with `npm run examples`, or `node examples/langchain/main.ts` after `npm run build`. No key and no network: the model is a
 * scripted one. Everything else is real, and the story checks itself.
 */
import assert from 'node:assert/strict'
import { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { MessagesAnnotation, StateGraph } from '@langchain/langgraph'
import { ToolNode, toolsCondition } from '@langchain/langgraph/prebuilt'
import { guardTools, holdpointMiddleware } from 'holdpoint/langchain'
import { createAgent, tool } from 'langchain'
import { z } from 'zod'
import { createShop, LAST_WORDS, openGate, SCRIPT, tell } from '../support/agent.ts'

// ── What an app writes ────────────────────────────────────────────────────────────────────────────

/** Once per process. */
const gate = openGate()

const shop = createShop()
const order = tool(shop.order, {
  name: 'order',
  description: 'Look up an order',
  schema: z.object({ id: z.string() }),
})
const refund = tool(shop.refund, {
  name: 'refund',
  description: 'Pay an order back',
  schema: z.object({ order: z.string(), amount: z.number() }),
})

/** Once per request: who is asking, and where. */
async function chat(model: BaseChatModel, user: string) {
  const me = gate.as({ user, agent: 'support' }, { conversation: `chat-${user}` })
  const agent = createAgent({ model, tools: [order, refund], middleware: [holdpointMiddleware(me)] })
  return await agent.invoke({ messages: [new HumanMessage('I want my money back.')] })
}

/** The same in a graph: `ToolNode` knows no middleware, and the tools hold by themselves. */
async function graph(model: BaseChatModel, user: string) {
  const me = gate.as({ user, agent: 'support' }, { conversation: `graph-${user}` })
  const app = new StateGraph(MessagesAnnotation)
    .addNode('agent', async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
    .addNode('tools', new ToolNode(guardTools([order, refund], me)))
    .addEdge('__start__', 'agent')
    .addConditionalEdges('agent', toolsCondition, ['tools', '__end__'])
    .addEdge('tools', 'agent')
    .compile()
  return await app.invoke({ messages: [new HumanMessage('I want my money back.')] })
}

// ── The scripted model ────────────────────────────────────────────────────────────────────────────

class Scripted extends BaseChatModel {
  readonly prompts: object[] = []

  override _llmType() {
    return 'scripted'
  }

  override bindTools() {
    return this
  }

  override async _generate(messages: BaseMessage[]) {
    // What a provider's package sends of a message.
    this.prompts.push(messages.map(({ type, content }) => ({ type, content })))
    const call = SCRIPT[this.prompts.length - 1]
    const message =
      call === undefined
        ? new AIMessage(LAST_WORDS)
        : new AIMessage({
            content: '',
            tool_calls: [{ type: 'tool_call', id: call.id, name: call.tool, args: call.input }],
          })
    return { generations: [{ text: '', message }] }
  }
}

// ── The story ─────────────────────────────────────────────────────────────────────────────────────

for (const play of [chat, graph]) {
  shop.refunds.length = 0
  const model = new Scripted({})
  const { messages } = await play(model, 'alice')
  const results = messages.filter((message) => ToolMessage.isInstance(message))
  const told = new Map(results.map((message) => [message.tool_call_id, String(message.content)]))
  tell(shop.refunds, told, JSON.stringify(model.prompts))
  assert.deepEqual(
    results.map((message) => [message.status, Reflect.get(message.additional_kwargs['holdpoint'] ?? {}, 'outcome')]),
    [
      ['success', 'permitted'],
      ['error', 'refused'],
      ['success', 'permitted'],
    ],
    'what became of each call stands beside its message',
  )
  assert.equal(messages.at(-1)?.content, LAST_WORDS)
}
await gate.close()
