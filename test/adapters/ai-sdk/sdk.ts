import * as ai7 from 'ai'
import * as test7 from 'ai/test'
import * as ai6 from 'ai-v6'
import * as test6 from 'ai-v6/test'

/** What the tests use of the AI SDK, loosely: the two majors agree on these at run time, not in their types. */
export interface Sdk {
  readonly major: 6 | 7
  generateText(options: object): Promise<Generated>
  streamText(options: object): Streamed
  readonly ToolLoopAgent: new (
    settings: object,
  ) => { generate(options: object): Promise<Generated>; stream(options: object): Promise<Streamed> }
  tool(definition: object): object
  dynamicTool(definition: object): object
  jsonSchema(schema: unknown, options?: object): object
  readonly modelMessageSchema: { parse(message: unknown): unknown }
  stepCountIs(count: number): unknown
  validateUIMessages(options: object): Promise<readonly UiMessage[]>
  convertToModelMessages(messages: readonly object[], options?: object): Promise<readonly object[]>
  readUIMessageStream(options: object): AsyncIterable<UiMessage>
}

export interface Generated {
  readonly text: string
  readonly content: readonly {
    readonly type: string
    readonly toolCallId?: string
    readonly output?: unknown
    readonly isAutomatic?: boolean
  }[]
  readonly response: { readonly messages: readonly ModelMessage[] }
  readonly responseMessages?: readonly ModelMessage[]
}

export interface Streamed {
  toUIMessageStream(options?: Readonly<Record<string, unknown>>): ReadableStream<UiChunk>
  readonly text: PromiseLike<string>
}

export interface ModelMessage {
  readonly role: string
  readonly content: string | readonly ModelPart[]
}

export interface ModelPart {
  readonly type: string
  readonly toolCallId?: string
  readonly toolName?: string
  readonly approvalId?: string
  readonly isAutomatic?: boolean
  readonly input?: unknown
  readonly output?: unknown
  readonly text?: string
}

export interface UiChunk {
  readonly type: string
  readonly toolCallId?: string
  readonly output?: unknown
  readonly preliminary?: boolean
  readonly errorText?: string
  readonly isAutomatic?: boolean
  readonly approvalDescriptor?: unknown
  readonly reason?: string
  readonly id?: string
  readonly data?: unknown
}

export interface UiPart {
  readonly type: string
  readonly state?: string
  readonly toolCallId?: string
  readonly input?: unknown
  readonly output?: unknown
  readonly errorText?: string
  readonly approval?: {
    readonly id: string
    readonly approved?: boolean
    readonly isAutomatic?: boolean
    readonly reason?: string
    readonly descriptor?: unknown
  }
  readonly data?: unknown
}

export interface UiMessage {
  readonly id: string
  readonly role: string
  readonly parts: readonly UiPart[]
}

/** A model that says what the script says, and remembers what it was sent. */
export interface ScriptedModel {
  readonly model: unknown
  /** The prompt of each call so far. */
  prompts(): readonly (readonly ModelMessage[])[]
}

interface MockModel {
  readonly doGenerateCalls: readonly { readonly prompt: readonly ModelMessage[] }[]
  readonly doStreamCalls: readonly { readonly prompt: readonly ModelMessage[] }[]
}

const MAJORS = {
  6: { sdk: ai6 as unknown as Sdk, Mock: test6.MockLanguageModelV3, simulate: test6.simulateReadableStream },
  7: { sdk: ai7 as unknown as Sdk, Mock: test7.MockLanguageModelV4, simulate: test7.simulateReadableStream },
} as const

/** The real package of one major. */
export function sdkOf(major: 6 | 7): Sdk {
  return { ...MAJORS[major].sdk, major }
}

const USAGE = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

/** One part of what the model says in a step. */
export type Said =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: string; readonly [member: string]: unknown }

/** Each step is one answer of the model; after the last it says `done`. */
export function scriptedModel(major: 6 | 7, steps: readonly (readonly Said[])[]): ScriptedModel {
  const { Mock, simulate } = MAJORS[major]
  let at = 0
  const next = (): readonly Said[] => steps[at++] ?? [{ type: 'text', text: 'done' }]
  const finish = (said: readonly Said[]) => {
    const unified = said.some((part) => part.type === 'tool-call' && Reflect.get(part, 'providerExecuted') !== true)
      ? 'tool-calls'
      : 'stop'
    return { unified, raw: undefined } as const
  }
  const answers = {
    doGenerate: async () => {
      const content = next()
      return { content, finishReason: finish(content), usage: USAGE, warnings: [] }
    },
    doStream: async () => {
      const said = next()
      const chunks = [
        { type: 'stream-start', warnings: [] },
        ...said.flatMap(streamed),
        { type: 'finish', finishReason: finish(said), usage: USAGE },
      ]
      return { stream: simulate({ chunks, initialDelayInMs: null, chunkDelayInMs: null }) }
    },
  }
  const model = Reflect.construct(Mock, [answers]) as MockModel
  return { model, prompts: () => [...model.doGenerateCalls, ...model.doStreamCalls].map((called) => called.prompt) }
}

function streamed(part: Said): readonly object[] {
  if (part.type !== 'text') return [part]
  return [
    { type: 'text-start', id: 't' },
    { type: 'text-delta', id: 't', delta: Reflect.get(part, 'text') },
    { type: 'text-end', id: 't' },
  ]
}

/** A tool call as a provider sends it: arguments as JSON text. */
export function said(toolName: string, input: unknown, toolCallId = 'c1', more: object = {}): Said {
  return { type: 'tool-call', toolCallId, toolName, input: JSON.stringify(input), ...more }
}
