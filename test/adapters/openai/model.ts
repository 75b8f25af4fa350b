import OpenAI from 'openai'

/** One tool call as a scripted model says it; `text` where the arguments are to be broken. */
export interface Said {
  readonly id: string
  readonly name: string
  readonly text: string
}

/** One item of a response, in the API's own shape. */
export type Item = Readonly<Record<string, unknown>> & { readonly type: string }

/** A model behind the real client: each request is answered with the next step, and in the end with `done`. */
export interface ScriptedModel {
  readonly client: OpenAI
  /** What was sent, body by body. */
  readonly requests: readonly Readonly<Record<string, unknown>>[]
}

/** @param words what it says when the steps are used up */
export function chatModel(steps: readonly (readonly Said[])[], words = 'done'): ScriptedModel {
  return scripted(steps, (body, calls) => {
    const message = {
      role: 'assistant',
      content: calls === undefined ? words : null,
      refusal: null,
      ...(calls === undefined ? {} : { tool_calls: calls.map(toolCall) }),
    }
    const finish = calls === undefined ? 'stop' : 'tool_calls'
    return body['stream'] === true ? chatEvents(message, finish) : chatCompletion(message, finish)
  })
}

/** @param words what it says when the steps are used up */
export function responsesModel(steps: readonly (readonly (Said | Item)[])[], words = 'done'): ScriptedModel {
  let turn = 0
  return scripted(steps, (body, items) => {
    turn += 1
    const output = (items ?? [message(words, `msg_${turn}`)]).map((item, index) =>
      'type' in item ? item : functionCall(item, `fc_${turn}_${index}`),
    )
    const response = completedResponse(output, `resp_${turn}`)
    return body['stream'] === true ? responseEvents(response, output) : json(response)
  })
}

function scripted<T>(
  steps: readonly T[],
  answer: (body: Readonly<Record<string, unknown>>, step: T | undefined) => Response,
): ScriptedModel {
  const requests: Readonly<Record<string, unknown>>[] = []
  const fetch = async (_url: unknown, init: { readonly body?: unknown; readonly signal?: AbortSignal | null } = {}) => {
    init.signal?.throwIfAborted()
    const body = JSON.parse(String(init.body)) as Readonly<Record<string, unknown>>
    requests.push(body)
    return answer(body, steps[requests.length - 1])
  }
  const client = new OpenAI({ apiKey: 'none', baseURL: 'http://model.test/v1', maxRetries: 0, fetch: fetch as never })
  return { client, requests }
}

/** A function call of the Responses API. */
export function functionCall({ id, name, text }: Said, itemId = `fc_${id}`): Item {
  return { type: 'function_call', id: itemId, call_id: id, name, arguments: text, status: 'completed' }
}

function message(text: string, id: string): Item {
  return {
    type: 'message',
    id,
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  }
}

function toolCall({ id, name, text }: Said): object {
  return { id, type: 'function', function: { name, arguments: text } }
}

function json(value: object): Response {
  return new Response(JSON.stringify(value), { headers: { 'content-type': 'application/json' } })
}

function events(list: readonly object[], end: string): Response {
  const text = list
    .map((event) => {
      const type: unknown = Reflect.get(event, 'type')
      return `${typeof type === 'string' ? `event: ${type}\n` : ''}data: ${JSON.stringify(event)}\n\n`
    })
    .join('')
  return new Response(text + end, { headers: { 'content-type': 'text/event-stream' } })
}

const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }

function chatCompletion(said: object, finish: string): Response {
  const choices = [{ index: 0, finish_reason: finish, logprobs: null, message: said }]
  return json({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices, usage })
}

function chatEvents(
  said: { readonly content: string | null; readonly tool_calls?: readonly object[] },
  finish: string,
): Response {
  const chunk = (delta: object, finish_reason: string | null) => ({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason, logprobs: null }],
  })
  const calls = (said.tool_calls ?? []).map((call, index) => chunk({ tool_calls: [{ ...call, index }] }, null))
  return events(
    [chunk({ role: 'assistant', content: said.content }, null), ...calls, chunk({}, finish)],
    'data: [DONE]\n\n',
  )
}

function completedResponse(output: readonly Item[], id: string): object {
  return {
    id,
    object: 'response',
    created_at: 1,
    status: 'completed',
    model: 'm',
    output,
    parallel_tool_calls: true,
    tools: [],
    tool_choice: 'auto',
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    temperature: 1,
    top_p: 1,
    usage: {
      input_tokens: 1,
      output_tokens: 1,
      total_tokens: 2,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens_details: { reasoning_tokens: 0 },
    },
  }
}

function responseEvents(response: object, output: readonly Item[]): Response {
  let sequence_number = 0
  const event = (type: string, more: object) => ({ type, sequence_number: sequence_number++, ...more })
  const list = [event('response.created', { response: { ...response, status: 'in_progress', output: [] } })]
  output.forEach((item, output_index) => {
    const item_id = item['id']
    const where = { item_id, output_index }
    if (item.type === 'function_call') {
      list.push(
        event('response.output_item.added', { output_index, item: { ...item, arguments: '', status: 'in_progress' } }),
        event('response.function_call_arguments.delta', { ...where, delta: item['arguments'] }),
        event('response.function_call_arguments.done', { ...where, arguments: item['arguments'] }),
      )
    } else if (item.type === 'message') {
      const [part] = item['content'] as readonly { readonly text: string }[]
      const at = { ...where, content_index: 0 }
      list.push(
        event('response.output_item.added', { output_index, item: { ...item, content: [], status: 'in_progress' } }),
        event('response.content_part.added', { ...at, part: { ...part, text: '' } }),
        event('response.output_text.delta', { ...at, delta: part?.text, logprobs: [] }),
        event('response.output_text.done', { ...at, text: part?.text, logprobs: [] }),
        event('response.content_part.done', { ...at, part }),
      )
    } else {
      list.push(event('response.output_item.added', { output_index, item }))
    }
    list.push(event('response.output_item.done', { output_index, item }))
  })
  return events([...list, event('response.completed', { response })], '')
}
