/**
 * The support agent in the OpenAI SDK: `runTools`, and the same conversation in the Responses runner.
 *
 * Run it with `npm run examples`, or `node examples/openai/main.ts` after `npm run build`. No key and no network: the client is the
 * real one, and a script answers its requests. The story checks itself.
 */
import assert from 'node:assert/strict'
import { guardRunner, guardTools, receiptMetadata, reportOf } from 'holdpoint/openai'
import OpenAI from 'openai'
import { ResponsesToolRunner, runnerFunction } from 'openai/helpers/responses-tool-runner'
import { zodFunction, zodResponsesFunction } from 'openai/helpers/zod'
import { z } from 'zod'
import { createShop, LAST_WORDS, openGate, SCRIPT, tell } from '../support/agent.ts'

// ── What an app writes ────────────────────────────────────────────────────────────────────────────

/** Once per process. */
const gate = openGate()

const shop = createShop()
const order = {
  name: 'order',
  description: 'Look up an order',
  parameters: z.object({ id: z.string() }),
  function: (input: { readonly id: string }) => JSON.stringify(shop.order(input)),
}
const refund = {
  name: 'refund',
  description: 'Pay an order back',
  parameters: z.object({ order: z.string(), amount: z.number() }),
  function: shop.refund,
}

/** Chat completions. Once per request: who is asking, and where. */
async function chat(client: OpenAI, user: string) {
  const me = gate.as({ user, agent: 'support' }, { conversation: `chat-${user}` })
  const runner = client.chat.completions.runTools({
    model: 'scripted',
    messages: [{ role: 'user', content: 'I want my money back.' }],
    tools: guardTools([zodFunction(order), zodFunction(refund)], me),
  })
  await guardRunner(runner, me).done()
  return { me, messages: runner.messages }
}

/** The Responses API. */
async function respond(client: OpenAI, user: string) {
  const me = gate.as({ user, agent: 'support' }, { conversation: `response-${user}` })
  const [look, pay] = guardTools([zodResponsesFunction(order), zodResponsesFunction(refund)], me)
  const functions = [runnerFunction(look), runnerFunction(pay)]
  const runner = guardRunner(new ResponsesToolRunner({ functions }), me)
  return await runner.run(client, { model: 'scripted', input: 'I want my money back.' })
}

// ── The scripted model ────────────────────────────────────────────────────────────────────────────

interface Body {
  readonly messages?: readonly { readonly role: string; readonly tool_call_id?: string; readonly content?: unknown }[]
  readonly input?: readonly { readonly type?: string; readonly call_id?: string; readonly output?: unknown }[]
}

/** The real client, in front of a script. */
function scripted() {
  const requests: Body[] = []
  const fetch = async (url: unknown, init?: { readonly body?: unknown }) => {
    const call = SCRIPT[requests.length]
    requests.push(JSON.parse(String(init?.body)))
    return Response.json(String(url).endsWith('/responses') ? response(call) : completion(call))
  }
  return { client: new OpenAI({ apiKey: 'none', fetch: fetch as never }), requests }
}

function completion(call: (typeof SCRIPT)[number] | undefined) {
  const said = { role: 'assistant', content: call === undefined ? LAST_WORDS : null, refusal: null }
  const calls = call && [
    { id: call.id, type: 'function', function: { name: call.tool, arguments: JSON.stringify(call.input) } },
  ]
  const message = calls === undefined ? said : { ...said, tool_calls: calls }
  return {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, finish_reason: 'stop', message }],
  }
}

function response(call: (typeof SCRIPT)[number] | undefined) {
  const item =
    call === undefined
      ? {
          type: 'message',
          id: 'msg',
          role: 'assistant',
          content: [{ type: 'output_text', text: LAST_WORDS, annotations: [], logprobs: [] }],
        }
      : {
          type: 'function_call',
          id: `fc_${call.id}`,
          call_id: call.id,
          name: call.tool,
          arguments: JSON.stringify(call.input),
        }
  return { id: 'r', object: 'response', status: 'completed', output: [{ ...item, status: 'completed' }] }
}

// ── The story ─────────────────────────────────────────────────────────────────────────────────────

const first = scripted()
const { me, messages } = await chat(first.client, 'alice')
const told = messages.flatMap((message) =>
  message.role === 'tool' ? [[message.tool_call_id, String(message.content)] as const] : [],
)
tell(shop.refunds, new Map(told), JSON.stringify(first.requests))

const outcomes = SCRIPT.map(({ id }) => reportOf(me, id)?.outcome)
assert.deepEqual(outcomes, ['permitted', 'refused', 'permitted'], 'the receipts are in the side channel')
console.log(
  'metadata',
  receiptMetadata(
    me,
    SCRIPT.map(({ id }) => id),
  ),
)

shop.refunds.length = 0
const second = scripted()
const answer = await respond(second.client, 'alice')
const outputs = (second.requests.at(-1)?.input ?? []).flatMap(({ type, call_id, output }) =>
  type === 'function_call_output' ? [[String(call_id), String(output)] as const] : [],
)
tell(shop.refunds, new Map(outputs), JSON.stringify(second.requests))
assert.equal(answer.output_text, LAST_WORDS)
await gate.close()
