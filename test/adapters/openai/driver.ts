import type { RunnerFunction } from 'openai/helpers/responses-tool-runner'
import { z } from 'zod'
import {
  guardRunner,
  guardTools,
  type Handlers,
  reportOf,
  runFunctionCalls,
  runToolCalls,
} from '../../../adapters/openai/index.ts'
import type { Gate } from '../../../src/index.ts'
import type {
  Answer,
  HostDriver,
  ModelSaw,
  ScriptedCall,
  ScriptedTool,
  StoredMessages,
  Turn,
  TurnResult,
} from '../../support/adapter-conformance.ts'
import { chatModel, type Item, responsesModel, type Said, type ScriptedModel } from './model.ts'

/** The ways in which apps run tools with the OpenAI SDK. */
export type Mode =
  | 'runTools'
  | 'runTools stream'
  | 'runToolCalls'
  | 'responses'
  | 'responses eager'
  | 'runFunctionCalls'

/** What a mode makes of a turn; `history` is what was sent before. */
type Play = (turn: Turn, history: readonly object[], extra: Extra) => Promise<Played>

/** What nesting adds: an outer tool that calls the guarded ones. */
interface Extra {
  readonly outer?: (call: (name: string, input: unknown) => Promise<unknown>) => Promise<unknown>
}

interface Played {
  readonly model: ScriptedModel
  readonly said: string
  /** The conversation after the turn, as an app would store it. */
  readonly history: readonly object[]
}

const PLAYS: Readonly<Record<Mode, Play>> = {
  runTools: (turn, history, extra) => playRunTools(turn, history, extra, false),
  'runTools stream': (turn, history, extra) => playRunTools(turn, history, extra, true),
  runToolCalls: playToolCalls,
  responses: (turn, history, extra) => playRunner(turn, history, extra, {}),
  'responses eager': (turn, history, extra) => playRunner(turn, history, extra, { stream: true, eager: true }),
  runFunctionCalls: playFunctionCalls,
}

/** Releases before 7.33 have no runner of the Responses API. */
const helper = await import('openai/helpers/responses-tool-runner').catch(() => undefined)
const ALL = Array.from({ length: 17 }, (_, index) => index + 1)

const CHAT: ReadonlySet<Mode> = new Set(['runTools', 'runTools stream', 'runToolCalls'])

/** One way of running. */
export function openaiDriver(mode: Mode): HostDriver {
  const play = PLAYS[mode]
  return {
    name: `openai 7 ${mode}`,
    showsPreviews: false,
    play: (turn) => run(play, turn, [{ role: 'user', content: 'go' }], {}),
    nested: (turn) => nested(play, turn),
    identityLost: async (gate) => identityLost(gate),
    lacks: {
      ...(mode.startsWith('responses') && helper === undefined
        ? Object.fromEntries(ALL.map((number) => [number, 'this release has no runner of the Responses API']))
        : {}),
      ...(CHAT.has(mode) ? { 13: 'chat completions have no tools that the provider runs' } : {}),
      ...(mode.startsWith('responses')
        ? { 6: 'the runner itself carries out the calls of a response one after another' }
        : {}),
    },
  }
}

const USER = { role: 'user', content: 'go' }

async function run(play: Play, turn: Turn, history: readonly object[], extra: Extra): Promise<TurnResult> {
  const played = await play(turn, history, extra)
  const saw = sawIn(played.history.slice(history.length - 1))
  const waiting = saw.flatMap(({ callId, text }) => {
    const ref = /"ref":"(hp_[^"]+)"/.exec(text)?.[1]
    return ref === undefined ? [] : [{ callId, ref }]
  })
  const calls = turn.steps.flat()
  return {
    saw,
    prompts: JSON.stringify(played.model.requests, expanded),
    said: played.said,
    shown: saw.map(({ callId, text }) => ({ callId, value: text, preview: false })),
    stored: stored(turn.gate, played.history),
    ...(waiting.length === 0
      ? {}
      : {
          paused: {
            callIds: waiting.map(({ callId }) => callId),
            // The SDK knows no pause: the refusal is one. Whoever said yes sends the same conversation again, and the model asks anew.
            resume: async ({ approved, edit }: Answer) => {
              for (const { ref } of waiting) await turn.gate.answer(ref, approved ? 'approved' : 'declined')
              const again = calls
                .filter(({ id }) => waiting.some(({ callId }) => callId === id))
                .map((call) => (edit === undefined ? call : { ...call, input: edit(call.input) }))
              return await run(play, { ...turn, steps: [again] }, history, extra)
            },
          },
        }),
  }
}

/** JSON that travels as text, as what it says. */
function expanded(key: string, value: unknown): unknown {
  if (key !== 'output' || typeof value !== 'string' || !value.startsWith('{')) return value
  return JSON.parse(value)
}

function sawIn(history: readonly object[]): readonly ModelSaw[] {
  return history.flatMap((message): readonly ModelSaw[] => {
    const { role, type, tool_call_id, call_id, content, output } = message as Readonly<Record<string, unknown>>
    if (role === 'tool') return [{ callId: String(tool_call_id), text: String(content) }]
    return type === 'function_call_output' ? [{ callId: String(call_id), text: String(output) }] : []
  })
}

/** The app stores messages, and the side channel beside them. */
function stored(gate: Gate, kept: readonly object[]): StoredMessages {
  const history = JSON.parse(JSON.stringify(kept)) as readonly Readonly<Record<string, unknown>>[]
  const ids = [...new Set(sawIn(history).map(({ callId }) => callId))]
  return {
    validate: async () => {
      const asked = history.flatMap((message) => [
        ...((message['tool_calls'] ?? []) as readonly { readonly id: string }[]).map(({ id }) => id),
        ...(message['type'] === 'function_call' ? [message['call_id']] : []),
      ])
      if (JSON.stringify([...new Set(asked)].sort()) !== JSON.stringify(ids.toSorted()))
        throw new Error(`calls ${asked.join()} and answers ${ids.join()} do not match, and the API refuses that`)
    },
    nextPrompt: async () => JSON.stringify(history),
    stateOf: (callId) => {
      const outcome = reportOf(gate, callId)?.outcome
      return outcome === 'refused' ? 'output-denied' : outcome === undefined ? undefined : 'output-available'
    },
    receipts: ids.flatMap((id) => reportOf(gate, id)?.receipts.map((receipt) => receipt.id) ?? []),
  }
}

// ── Chat completions ──────────────────────────────────────────────────────────────────────────────

function saidOf({ tool, input, id }: ScriptedCall): Said {
  return { id, name: tool, text: JSON.stringify(input) }
}

function schemaOf({ input }: ScriptedTool): Record<string, unknown> {
  return z.toJSONSchema(input, { io: 'input' }) as Record<string, unknown>
}

function ran({ run: own, stream, toModel }: ScriptedTool, input: unknown, signal: AbortSignal | undefined): unknown {
  if (stream !== undefined) return stream(input as never)
  const result = own?.(input as never, { signal })
  return toModel === undefined ? result : toModel(result as never)
}

function runnable(name: string, tool: ScriptedTool) {
  return {
    type: 'function' as const,
    function: {
      name,
      description: name,
      parameters: schemaOf(tool),
      parse: (text: string) => tool.input.parse(JSON.parse(text)) as object,
      function: async (input: object) => ran(tool, input, undefined),
    },
  }
}

async function playRunTools(turn: Turn, history: readonly object[], extra: Extra, stream: boolean): Promise<Played> {
  const own = Object.entries(turn.tools).map(([name, tool]) => runnable(name, tool))
  const guarded = turn.bare === true ? own : guardTools(own, turn.gate)
  const tools = [...guarded, ...outerOf(guarded, extra)]
  const model = chatModel(turn.steps.map((step) => step.map(saidOf)))
  const params = { model: 'm', messages: [...history] as never, tools }
  const options = turn.signal === undefined ? {} : { signal: turn.signal }
  const { completions } = model.client.chat
  const runner = stream
    ? completions.runTools({ ...params, stream: true }, options)
    : completions.runTools({ ...params, stream: false }, options)
  const said = await runner.finalContent().then(String, (error: unknown) => failed(error))
  return { model, said, history: runner.messages }
}

function failed(error: unknown): string {
  return `failed: ${error instanceof Error ? error.message : String(error)}`
}

function outerOf(guarded: readonly ReturnType<typeof runnable>[], { outer }: Extra) {
  if (outer === undefined) return []
  const call = async (name: string, input: unknown) => {
    const inner = guarded.find((tool) => tool.function.name === name)
    return await inner?.function.function(inner.function.parse(JSON.stringify(input)))
  }
  const tool = runnable('outer', { input: z.object({}) })
  return [{ ...tool, function: { ...tool.function, function: async () => await outer(call) } }]
}

/** A loop as most apps write it. */
async function playToolCalls(turn: Turn, history: readonly object[], extra: Extra): Promise<Played> {
  const model = chatModel(turn.steps.map((step) => step.map(saidOf)))
  const tools = Object.entries(turn.tools).map(([name, tool]) => runnable(name, tool))
  const messages: object[] = [...history]
  const loop = async (): Promise<string> => {
    for (;;) {
      const completion = await model.client.chat.completions.create({
        model: 'm',
        messages: messages as never,
        tools: tools.map(({ type, function: { name, parameters } }) => ({ type, function: { name, parameters } })),
      })
      const { message } = completion.choices[0] ?? { message: undefined }
      if (message === undefined) throw new Error('no message')
      const { tool_calls: calls } = message
      const step = messages.push(message)
      if (calls === undefined) return message.content ?? ''
      if (turn.bare === true) {
        for (const call of calls) {
          if (call.type !== 'function') continue
          const { name, arguments: text } = call.function
          const content = String(
            await handlersFor(turn, {})[name]?.(JSON.parse(text) as never, { callId: call.id, signal: undefined }),
          )
          messages.push({ role: 'tool', tool_call_id: call.id, content })
        }
      } else {
        messages.push(
          ...(await runToolCalls(calls, handlersFor(turn, extra), turn.gate, { tools, step, signal: turn.signal })),
        )
      }
    }
  }
  return { model, said: await loop().catch(failed), history: messages }
}

function handlersFor(turn: Turn, { outer }: Extra): Handlers {
  const own = Object.entries(turn.tools).map(([name, tool]) => [
    name,
    (input: unknown, { signal }: { readonly signal: AbortSignal | undefined }) =>
      ran(tool, tool.input.parse(input), signal),
  ])
  const handlers = Object.fromEntries(own) as Handlers
  if (outer === undefined) return handlers
  const call = async (name: string, input: unknown) => {
    const inner = { id: 'inner', type: 'function', function: { name, arguments: JSON.stringify(input) } }
    const [answer] = await runToolCalls([inner], handlers, turn.gate)
    return answer?.content
  }
  return { ...handlers, outer: async () => await outer(call) }
}

// ── Responses ─────────────────────────────────────────────────────────────────────────────────────

/** What the provider runs is a tool of an MCP server that it calls without asking. */
function responseItem(call: ScriptedCall): Said | Item {
  if (call.providerResult === undefined) return saidOf(call)
  return {
    type: 'mcp_call',
    id: call.id,
    server_label: 'test',
    name: call.tool,
    arguments: JSON.stringify(call.input),
    output: JSON.stringify(call.providerResult),
    error: null,
    status: 'completed',
  }
}

function hostedOf(turn: Turn): readonly object[] {
  const names = Object.entries(turn.tools).flatMap(([name, { elsewhere }]) => (elsewhere === undefined ? [] : [name]))
  if (names.length === 0) return []
  return [
    {
      type: 'mcp',
      server_label: 'test',
      server_url: 'https://mcp.test',
      allowed_tools: names,
      require_approval: 'never',
    },
  ]
}

function runnerFunctions(turn: Turn): readonly RunnerFunction[] {
  return Object.entries(turn.tools)
    .filter(([, { elsewhere }]) => elsewhere === undefined)
    .map(([name, tool]) => ({
      tool: { type: 'function', name, description: name, parameters: schemaOf(tool), strict: false },
      execute: async (args, options) => {
        const result = await ran(tool, tool.input.parse(args), options?.signal)
        return typeof result === 'string' ? result : await textOf(result)
      },
    }))
}

/** The runner takes text and blocks alone. */
async function textOf(result: unknown): Promise<string> {
  if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result))
    return JSON.stringify(result) ?? ''
  let last: unknown
  for await (const part of result as AsyncIterable<unknown>) last = part
  return JSON.stringify(last)
}

async function playRunner(turn: Turn, history: readonly object[], extra: Extra, how: object): Promise<Played> {
  const own = runnerFunctions(turn)
  const ungated = turn.ungated === undefined ? {} : { ungated: ['test'] }
  const guarded = turn.bare === true ? own : guardTools(own, turn.gate)
  if (helper === undefined) throw new Error('this release has no runner of the Responses API')
  const bare = new helper.ResponsesToolRunner({ functions: [...guarded, ...outerFunction(guarded, extra)] })
  const runner = turn.bare === true ? bare : guardRunner(bare, turn.gate, ungated)
  const model = responsesModel(turn.steps.map((step) => step.map(responseItem)))
  const params = { model: 'm', input: history as never, tools: hostedOf(turn) as never }
  const options = { ...how, ...(turn.signal === undefined ? {} : { signal: turn.signal }) }
  const said = await runner.run(model.client, params, options).then(
    (response) => response.output_text,
    (error: unknown) => {
      if (Reflect.get(Object(error), 'code') === 'ERR_UNGATED') throw error
      return failed(error)
    },
  )
  return { model, said, history: (model.requests.at(-1)?.['input'] ?? history) as readonly object[] }
}

function outerFunction(guarded: readonly RunnerFunction[], { outer }: Extra): readonly RunnerFunction[] {
  if (outer === undefined) return []
  const call = async (name: string, input: unknown) =>
    await guarded.find(({ tool }) => tool.name === name)?.execute(input as Record<string, unknown>)
  const tool = { type: 'function' as const, name: 'outer', parameters: { type: 'object' }, strict: false }
  return [{ tool, execute: async () => String(await outer(call)) }]
}

async function playFunctionCalls(turn: Turn, history: readonly object[], extra: Extra): Promise<Played> {
  const functions = runnerFunctions(turn)
  const tools = [...functions.map(({ tool }) => tool), ...hostedOf(turn)]
  const ungated = turn.ungated === undefined ? {} : { ungated: ['test'] }
  const model = responsesModel(turn.steps.map((step) => step.map(responseItem)))
  const input: object[] = [...history]
  const loop = async (): Promise<string> => {
    for (;;) {
      const response = await model.client.responses.create({ model: 'm', input: input as never, tools: tools as never })
      const step = input.push(...response.output)
      const calls = response.output.filter((item) => item.type === 'function_call')
      if (turn.bare === true) {
        for (const { name, arguments: text, call_id } of calls) {
          const output = await handlersFor(turn, {})[name]?.(JSON.parse(text) as never, {
            callId: call_id,
            signal: undefined,
          })
          input.push({ type: 'function_call_output', call_id, output })
        }
      } else {
        const options = { tools, step, signal: turn.signal, ...ungated }
        input.push(...(await runFunctionCalls(response.output, handlersFor(turn, extra), turn.gate, options)))
      }
      if (calls.length === 0) return response.output_text
    }
  }
  const said = await loop().catch((error: unknown) => {
    if (Reflect.get(Object(error), 'code') === 'ERR_UNGATED') throw error
    return failed(error)
  })
  return { model, said, history: input }
}

// ── Both ──────────────────────────────────────────────────────────────────────────────────────────

async function nested(play: Play, turn: Turn & { readonly inner: ScriptedCall }): Promise<TurnResult> {
  const { inner } = turn
  const outer = async (call: (name: string, input: unknown) => Promise<unknown>) => await call(inner.tool, inner.input)
  return await run(play, { ...turn, steps: [[{ tool: 'outer', input: {}, id: 'outer' }]] }, [USER], { outer })
}

/** A tool with everything odd about it. */
function identityLost(gate: Gate): readonly string[] {
  const mark = Symbol('mark')
  class Base {
    get title() {
      return 'Odd'
    }
  }
  const odd: object = Object.assign(new Base(), {
    type: 'function',
    function: { name: 'odd', description: 'odd', parameters: { type: 'object' }, strict: true, [mark]: 2 },
    cached: true,
    [mark]: 1,
  })
  Object.defineProperties(odd, {
    $brand: { value: 'auto-parseable-tool' },
    $parseRaw: { value: JSON.parse },
    $callback: { value: () => 'x' },
    lazy: { get: () => 'worked out late', enumerable: true },
  })
  const [kept = {}] = guardTools([odd], gate)
  const names = ['type', 'function', 'cached', 'title', 'lazy', '$brand', mark] as const
  const hidden = ['$brand', '$parseRaw', '$callback']
  return [
    ...names.filter((name) => Reflect.get(kept, name) !== Reflect.get(odd, name)).map(String),
    ...hidden.filter((name) => Object.keys(kept).includes(name)).map((name) => `${name} is hidden`),
    ...(kept instanceof Base ? [] : ['prototype']),
    ...(Object.getOwnPropertyDescriptor(kept, 'lazy')?.get === undefined ? ['getter'] : []),
  ]
}
