import Anthropic from '@anthropic-ai/sdk'

/** A block of a reply, in the API's own shape. */
export type Block = Readonly<Record<string, unknown>> & { readonly type: string }

/** A model behind the real client: each request is answered with the next step, and in the end with `done`. */
export interface ScriptedModel {
  readonly client: Anthropic
  /** What was sent, body by body. */
  readonly requests: readonly Readonly<Record<string, unknown>>[]
}

export function toolUse(name: string, input: unknown, id = 'toolu_1'): Block {
  return { type: 'tool_use', id, name, input }
}

/** @param words what it says when the steps are used up */
export function scriptedModel(steps: readonly (readonly Block[])[], words = 'done'): ScriptedModel {
  const requests: Readonly<Record<string, unknown>>[] = []
  const fetch = async (_url: unknown, init: { readonly body?: unknown; readonly signal?: AbortSignal | null } = {}) => {
    init.signal?.throwIfAborted()
    const body = JSON.parse(String(init.body)) as Readonly<Record<string, unknown>>
    requests.push(body)
    const step = steps[requests.length - 1]
    const content = step ?? [{ type: 'text', text: words }]
    const message = {
      id: `msg_${requests.length}`,
      type: 'message',
      role: 'assistant',
      model: 'm',
      content,
      stop_reason: step === undefined ? 'end_turn' : 'tool_use',
      stop_sequence: null,
      usage: { input_tokens: 1, output_tokens: 1 },
    }
    return body['stream'] === true ? events(message) : Response.json(message)
  }
  const client = new Anthropic({ apiKey: 'none', baseURL: 'http://model.test', maxRetries: 0, fetch: fetch as never })
  return { client, requests }
}

function events(message: { readonly content: readonly Block[]; readonly stop_reason: string }): Response {
  const list: object[] = [{ type: 'message_start', message: { ...message, content: [], stop_reason: null } }]
  message.content.forEach((block, index) => {
    if (block.type === 'text') {
      list.push(
        { type: 'content_block_start', index, content_block: { ...block, text: '' } },
        { type: 'content_block_delta', index, delta: { type: 'text_delta', text: block['text'] } },
      )
    } else if (block.type === 'tool_use' || block.type === 'server_tool_use') {
      list.push(
        { type: 'content_block_start', index, content_block: { ...block, input: {} } },
        {
          type: 'content_block_delta',
          index,
          delta: { type: 'input_json_delta', partial_json: JSON.stringify(block['input']) },
        },
      )
    } else {
      list.push({ type: 'content_block_start', index, content_block: block })
    }
    list.push({ type: 'content_block_stop', index })
  })
  list.push(
    {
      type: 'message_delta',
      delta: { stop_reason: message.stop_reason, stop_sequence: null },
      usage: { output_tokens: 1 },
    },
    { type: 'message_stop' },
  )
  const text = list.map((event) => `event: ${Reflect.get(event, 'type')}\ndata: ${JSON.stringify(event)}\n\n`).join('')
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } })
}
