import { experimental_codeModeTool as codeModeTool, DIRECT_TOOL_CALL } from '@ai-sdk/code-mode'
import { guardTools, type HoldpointData, holdpointDataSchema, respond } from '../../../adapters/ai-sdk/index.ts'
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
import {
  type Generated,
  type ModelMessage,
  type ModelPart,
  type Said,
  type ScriptedModel,
  type Sdk,
  said,
  scriptedModel,
  sdkOf,
  type UiChunk,
  type UiMessage,
  type UiPart,
} from './sdk.ts'

/** The ways in which the AI SDK runs tools. */
export type Mode = 'generateText' | 'streamText' | 'ToolLoopAgent' | 'ToolLoopAgent.stream'

/** One major in one mode. */
export function aiSdkDriver(major: 6 | 7, mode: Mode): HostDriver {
  const sdk = sdkOf(major)
  const play =
    mode === 'generateText' || mode === 'ToolLoopAgent' ? new Generating(sdk, mode) : new Streaming(sdk, mode)
  return {
    name: `ai ${major} ${mode}`,
    showsPreviews: play instanceof Streaming,
    play: (turn) => play.begin(turn),
    nested: (turn) => nested(sdk, play, turn),
    identityLost: async (gate) => identityLost(sdk, gate),
  }
}

/** Settings that every mode takes, and the model that was given them. */
interface Prepared {
  readonly tools: Readonly<Record<string, object>>
  readonly settings: object
  readonly scripted: ScriptedModel
}

interface Playing {
  begin(turn: Turn, extra?: Extra): Promise<TurnResult>
}

/** What nesting adds: host tools around the scripted ones. */
interface Extra {
  readonly wrap?: (tools: Readonly<Record<string, object>>) => Readonly<Record<string, object>>
  readonly guardAlso?: Readonly<Record<string, object>>
  readonly settings?: object
}

function prepare(sdk: Sdk, turn: Turn, extra: Extra): Prepared {
  const own = {
    ...Object.fromEntries(Object.entries(turn.tools).map(([name, tool]) => [name, hostTool(sdk, name, tool)])),
    ...extra.guardAlso,
  }
  const scripted = scriptedModel(
    sdk.major,
    turn.steps.map((step) => step.flatMap(toSaid)),
  )
  const common = { model: scripted.model, stopWhen: sdk.stepCountIs(8), ...extra.settings }
  if (turn.bare === true) return { tools: own, settings: { ...common, tools: own }, scripted }
  const guarded = guardTools(own, turn.gate, turn.ungated === undefined ? {} : { ungated: turn.ungated })
  const tools = extra.wrap?.(guarded.tools) ?? guarded.tools
  return { tools, settings: { ...common, ...guarded, tools }, scripted }
}

function hostTool(sdk: Sdk, name: string, tool: ScriptedTool): object {
  const { toModel, stream, run } = tool
  const common = {
    inputSchema: tool.input,
    ...(tool.output === undefined ? {} : { outputSchema: tool.output }),
    ...(toModel === undefined
      ? {}
      : { toModelOutput: ({ output }: { readonly output: never }) => ({ type: 'text', value: toModel(output) }) }),
  }
  if (tool.elsewhere === 'provider')
    return { ...common, type: 'provider', id: `acme.${name}`, args: {}, isProviderExecuted: true }
  if (tool.elsewhere === 'client') return sdk.tool({ ...common, description: name })
  if (stream !== undefined) {
    return sdk.tool({
      ...common,
      description: name,
      async *execute(input: never) {
        yield* stream(input)
      },
    })
  }
  return sdk.tool({
    ...common,
    description: name,
    execute: async (input: never, options: { readonly abortSignal?: AbortSignal }) =>
      run?.(input, { signal: options.abortSignal }),
  })
}

function toSaid(call: ScriptedCall): readonly Said[] {
  if (call.providerResult === undefined) return [said(call.tool, call.input, call.id)]
  return [
    said(call.tool, call.input, call.id, { providerExecuted: true }),
    {
      type: 'tool-result',
      toolCallId: call.id,
      toolName: call.tool,
      result: call.providerResult,
      providerExecuted: true,
    },
  ]
}

/** `generateText` and `agent.generate`: the app keeps model messages. */
class Generating implements Playing {
  readonly #sdk: Sdk
  readonly #mode: Mode

  constructor(sdk: Sdk, mode: Mode) {
    this.#sdk = sdk
    this.#mode = mode
  }

  begin(turn: Turn, extra: Extra = {}): Promise<TurnResult> {
    return this.#run(turn, extra, [{ role: 'user', content: 'go' }])
  }

  async #run(turn: Turn, extra: Extra, messages: readonly ModelMessage[]): Promise<TurnResult> {
    const { settings, scripted, tools } = prepare(this.#sdk, turn, extra)
    const given = { messages, ...(turn.signal === undefined ? {} : { abortSignal: turn.signal }) }
    const result =
      this.#mode === 'generateText'
        ? await this.#sdk.generateText({ ...settings, ...given })
        : await new this.#sdk.ToolLoopAgent(settings).generate(given)
    const history = [...messages, ...(result.responseMessages ?? result.response.messages)]
    const waiting = waitingFor(history)
    const requests = await Promise.all(waiting.map((part) => turn.gate.requestFor(asked(history, part))))
    return {
      ...told(scripted),
      said: result.text,
      shown: shownIn(result),
      stored: this.#stored(history, tools),
      ...(waiting.length === 0
        ? {}
        : {
            paused: {
              callIds: waiting.map((part) => part.toolCallId ?? ''),
              resume: async (answer) => {
                // Without a stream major 6 has no place for a reference, so the app tells the gate by itself.
                const said = answer.approved ? 'approved' : 'declined'
                if (this.#sdk.major === 6)
                  for (const request of requests) await turn.gate.answer(request?.ref ?? '', said)
                return await this.#run({ ...turn, steps: [] }, extra, answered(history, waiting, answer))
              },
            },
          }),
    }
  }

  /** The app stores model messages: nothing of a receipt fits in there. */
  #stored(kept: readonly ModelMessage[], tools: Readonly<Record<string, object>>): StoredMessages {
    const messages = JSON.parse(JSON.stringify(kept)) as readonly ModelMessage[]
    const results = messages.flatMap(({ role, content }) =>
      role === 'tool' && typeof content !== 'string' ? content : [],
    )
    return {
      validate: async () => {
        for (const message of messages) this.#sdk.modelMessageSchema.parse(message)
      },
      nextPrompt: async () => {
        const { model, prompts } = scriptedModel(this.#sdk.major, [])
        await this.#sdk.generateText({ model, tools, messages: [...messages, { role: 'user', content: 'and now?' }] })
        return JSON.stringify(prompts())
      },
      stateOf: (callId) => {
        const output = results.findLast((part) => part.toolCallId === callId && part.type === 'tool-result')?.output
        return STATES.get(String(Reflect.get(Object(output), 'type'))) ?? 'output-available'
      },
    }
  }
}

/** How a result of each type looks to whoever renders model messages. */
const STATES: ReadonlyMap<string, string> = new Map([
  ['execution-denied', 'output-denied'],
  ['error-text', 'output-error'],
  ['error-json', 'output-error'],
])

/** The call that an approval request in a history is about. */
function asked(history: readonly ModelMessage[], { toolCallId }: ModelPart): { tool: string; input: unknown } {
  const calls = history.flatMap(({ content }) => (typeof content === 'string' ? [] : content))
  const call = calls.find((part) => part.type === 'tool-call' && part.toolCallId === toolCallId)
  return { tool: call?.toolName ?? '', input: call?.input }
}

function waitingFor(history: readonly ModelMessage[]): readonly ModelPart[] {
  const last = history.findLast((message) => message.role === 'assistant')
  return last === undefined || typeof last.content === 'string'
    ? []
    : last.content.filter((part) => part.type === 'tool-approval-request' && part.isAutomatic !== true)
}

function answered(
  history: readonly ModelMessage[],
  waiting: readonly ModelPart[],
  answer: Answer,
): readonly ModelMessage[] {
  const { edit } = answer
  const edited =
    edit === undefined
      ? history
      : history.map((message) =>
          typeof message.content === 'string'
            ? message
            : {
                ...message,
                content: message.content.map((part) =>
                  part.type === 'tool-call' ? { ...part, input: edit(part.input) } : part,
                ),
              },
        )
  return [
    ...edited,
    {
      role: 'tool',
      content: waiting.map(({ approvalId }) => ({
        type: 'tool-approval-response',
        approvalId: approvalId ?? '',
        approved: answer.approved,
      })),
    },
  ]
}

function shownIn(result: Generated): TurnResult['shown'] {
  return result.content.flatMap((part) =>
    part.type === 'tool-result' && part.toolCallId !== undefined
      ? [{ callId: part.toolCallId, value: part.output, preview: false }]
      : [],
  )
}

/** `streamText` and `agent.stream`: the app keeps UI messages. */
class Streaming implements Playing {
  readonly #sdk: Sdk
  readonly #mode: Mode

  constructor(sdk: Sdk, mode: Mode) {
    this.#sdk = sdk
    this.#mode = mode
  }

  begin(turn: Turn, extra: Extra = {}): Promise<TurnResult> {
    return this.#run(turn, extra, [{ id: 'u1', role: 'user', parts: [{ type: 'text', ...{ text: 'go' } }] }])
  }

  async #run(turn: Turn, extra: Extra, originalMessages: readonly UiMessage[]): Promise<TurnResult> {
    const { settings, scripted, tools } = prepare(this.#sdk, turn, extra)
    const messages = await this.#sdk.convertToModelMessages(originalMessages, { tools })
    const asked = {
      messages,
      ...(turn.signal === undefined ? {} : { abortSignal: turn.signal }),
      onError: () => undefined,
    }
    const result =
      this.#mode === 'streamText'
        ? this.#sdk.streamText({ ...settings, ...asked })
        : await new this.#sdk.ToolLoopAgent(settings).stream(asked)
    let kept: readonly UiMessage[] = []
    const response = respond(result, turn.gate, {
      originalMessages,
      generateMessageId: () => 'a1',
      onFinish: (event: { readonly messages: readonly UiMessage[] }) => {
        kept = event.messages
      },
    })
    const chunks = await chunksOf(response)
    const parts = kept.at(-1)?.parts ?? []
    const waiting = parts.filter((part) => part.state === 'approval-requested')
    return {
      ...told(scripted),
      said: parts.flatMap((part) => (part.type === 'text' ? [String(Reflect.get(part, 'text'))] : [])).at(-1) ?? '',
      shown: chunks.flatMap((chunk) =>
        chunk.type === 'tool-output-available' && chunk.toolCallId !== undefined
          ? [{ callId: chunk.toolCallId, value: chunk.output, preview: chunk.preliminary === true }]
          : [],
      ),
      stored: this.#stored(kept, tools),
      ...(waiting.length === 0
        ? {}
        : {
            paused: {
              callIds: waiting.map((part) => part.toolCallId ?? ''),
              resume: (answer) => this.#run({ ...turn, steps: [] }, extra, respondedTo(kept, answer)),
            },
          }),
    }
  }

  #stored(kept: readonly UiMessage[], tools: Readonly<Record<string, object>>): StoredMessages {
    const messages = JSON.parse(JSON.stringify(kept)) as readonly UiMessage[]
    const parts = messages.flatMap((message) => message.parts)
    return {
      validate: async () => {
        await this.#sdk.validateUIMessages({ messages, tools, dataSchemas: { holdpoint: holdpointDataSchema } })
      },
      nextPrompt: async () => {
        const { model, prompts } = scriptedModel(this.#sdk.major, [])
        const next = await this.#sdk.convertToModelMessages(
          [...messages, { id: 'u2', role: 'user', parts: [{ type: 'text', text: 'and now?' }] }],
          { tools },
        )
        await this.#sdk.generateText({ model, tools, messages: next })
        return JSON.stringify(prompts())
      },
      stateOf: (callId) => parts.findLast((part) => part.toolCallId === callId)?.state,
      receipts: parts.flatMap((part) =>
        part.type === 'data-holdpoint' ? (part.data as HoldpointData).receipts.map((receipt) => receipt.id) : [],
      ),
    }
  }
}

function respondedTo(kept: readonly UiMessage[], answer: Answer): readonly UiMessage[] {
  const responded = (part: UiPart): UiPart =>
    part.state !== 'approval-requested' || part.approval === undefined
      ? part
      : {
          ...part,
          state: 'approval-responded',
          approval: { ...part.approval, approved: answer.approved },
          ...(answer.edit === undefined ? {} : { input: answer.edit(part.input) }),
        }
  return kept.map((message) => ({ ...message, parts: message.parts.map(responded) }))
}

/** The chunks that a client reads off the response. */
export async function chunksOf(response: Response): Promise<readonly UiChunk[]> {
  const lines = (await response.text())
    .split('\n')
    .filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]')
  return lines.map((line) => JSON.parse(line.slice('data: '.length)) as UiChunk)
}

function told(scripted: ScriptedModel): Pick<TurnResult, 'saw' | 'prompts'> {
  const prompts = scripted.prompts()
  const saw = (prompts.at(-1) ?? []).flatMap((message): readonly ModelSaw[] => {
    if (message.role !== 'tool' || typeof message.content === 'string') return []
    return message.content.flatMap((part) =>
      part.type === 'tool-result' ? [{ callId: part.toolCallId ?? '', text: JSON.stringify(part.output) }] : [],
    )
  })
  return { saw, prompts: JSON.stringify(prompts) }
}

/** Major 7 has code mode; on 6 a tool calls another one by hand. */
async function nested(sdk: Sdk, play: Playing, turn: Turn & { readonly inner: ScriptedCall }): Promise<TurnResult> {
  const { inner } = turn
  if (sdk.major === 7) {
    const js = `return await tools.${inner.tool}(${JSON.stringify(inner.input)})`
    return await play.begin(
      { ...turn, steps: [[{ tool: 'code_mode', input: { js }, id: 'outer' }]] },
      {
        guardAlso: { code_mode: codeModeTool() },
        settings: { experimental_toolCallers: { [inner.tool]: ['code_mode', DIRECT_TOOL_CALL] } },
      },
    )
  }
  const wrap = (tools: Readonly<Record<string, object>>) => ({
    ...tools,
    outer: sdk.tool({
      description: 'calls another tool',
      inputSchema: sdk.jsonSchema({ type: 'object' }),
      execute: (_: unknown, options: { readonly toolCallId: string }) =>
        Reflect.get(tools[inner.tool] ?? {}, 'execute')(turn.tools[inner.tool]?.input.parse(inner.input), {
          ...options,
          toolCallId: `${options.toolCallId}:1`,
        }),
    }),
  })
  return await play.begin({ ...turn, steps: [[{ tool: 'outer', input: {}, id: 'outer' }]] }, { wrap })
}

/** A tool with everything odd about it. */
function identityLost(sdk: Sdk, gate: Gate): readonly string[] {
  const mark = Symbol('mark')
  class Base {
    get title() {
      return 'Odd'
    }
    execute() {
      return this
    }
  }
  const odd: object = Object.assign(new Base(), {
    description: 'odd',
    inputSchema: sdk.jsonSchema({ type: 'object' }),
    providerOptions: { acme: { cache: true } },
    metadata: { team: 'a' },
    strict: true,
    [mark]: 1,
  })
  Object.defineProperty(odd, 'experimental_toolCaller', {
    value: { type: 'provider', prepareProviderOptions: () => ({}) },
  })
  Object.defineProperty(odd, 'lazy', { get: () => 'worked out late', enumerable: true })
  const tools = Object.assign(Object.create(null) as Record<string, object>, { odd })
  const guarded = guardTools(tools, gate).tools
  const kept = guarded.odd ?? {}
  const names = [
    'description',
    'title',
    'inputSchema',
    'providerOptions',
    'metadata',
    'strict',
    'experimental_toolCaller',
    'lazy',
    mark,
  ] as const
  return [
    ...names.filter((name) => Reflect.get(kept, name) !== Reflect.get(odd, name)).map(String),
    ...(Object.keys(kept).includes('experimental_toolCaller') ? ['experimental_toolCaller is hidden'] : []),
    ...(kept instanceof Base ? [] : ['prototype']),
    ...(Object.getOwnPropertyDescriptor(kept, 'lazy')?.get === undefined ? ['getter'] : []),
    ...(Object.getPrototypeOf(guarded) === null ? [] : ['null-prototype record']),
  ]
}
