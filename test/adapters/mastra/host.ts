import { Agent } from '@mastra/core/agent'
import { Mastra } from '@mastra/core/mastra'
import { InMemoryStore } from '@mastra/core/storage'
import { createTool } from '@mastra/core/tools'
import { MockLanguageModelV3, simulateReadableStream } from 'ai/test'
import type { ScriptedCall, ScriptedTool } from '../../support/adapter-conformance.ts'

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

/** A message of a prompt, as a provider gets it. */
export interface PromptMessage {
  readonly role: string
  readonly content:
    | string
    | readonly { readonly type: string; readonly toolCallId?: string; readonly output?: unknown }[]
}

/** A model that says what it was told to: a step for each of its answers, then `done`. */
export function scriptedModel(steps: readonly (readonly ScriptedCall[])[]) {
  const left = steps.map((step) => step.flatMap(saidOf))
  const prompts: (readonly PromptMessage[])[] = []
  const next = ({ prompt }: { readonly prompt: unknown }) => {
    prompts.push(prompt as readonly PromptMessage[])
    return left.shift() ?? [{ type: 'text' as const, text: 'done' }]
  }
  const finish = (said: readonly object[]) => ({
    unified: said.some((part) => Reflect.get(part, 'type') === 'tool-call')
      ? ('tool-calls' as const)
      : ('stop' as const),
    raw: undefined,
  })
  const model = new MockLanguageModelV3({
    doGenerate: async (options) => {
      const content = next(options)
      return { content: content as never, finishReason: finish(content), usage, warnings: [] }
    },
    doStream: async (options) => {
      const said = next(options)
      const chunks = [
        { type: 'stream-start', warnings: [] },
        ...said.flatMap(streamed),
        { type: 'finish', finishReason: finish(said), usage },
      ]
      return { stream: simulateReadableStream({ chunks, initialDelayInMs: null, chunkDelayInMs: null }) as never }
    },
  })
  return { model, prompts: () => prompts }
}

function saidOf({ tool, input, id, providerResult }: ScriptedCall): readonly object[] {
  const call = { type: 'tool-call', toolCallId: id, toolName: tool, input: JSON.stringify(input) }
  if (providerResult === undefined) return [call]
  return [
    { ...call, providerExecuted: true },
    { type: 'tool-result', toolCallId: id, toolName: tool, result: providerResult, providerExecuted: true },
  ]
}

function streamed(part: object): readonly object[] {
  if (Reflect.get(part, 'type') !== 'text') return [part]
  return [
    { type: 'text-start', id: 't' },
    { type: 'text-delta', id: 't', delta: Reflect.get(part, 'text') },
    { type: 'text-end', id: 't' },
  ]
}

/** An agent in a Mastra with a store of its own. */
export function agentOf(model: unknown, tools: object, more: object = {}) {
  const storage = new InMemoryStore()
  const agent = new Agent({
    id: 'support',
    name: 'support',
    instructions: 'help',
    model: model as never,
    tools: tools as never,
    ...more,
  })
  new Mastra({ agents: { agent }, storage, logger: false })
  return { agent, storage }
}

/** A scripted tool as Mastra has it. */
export function hostTool(name: string, scripted: ScriptedTool): object {
  const { input: inputSchema, output: outputSchema, run, stream, toModel, elsewhere } = scripted
  if (elsewhere === 'provider') return { type: 'provider-defined', id: `acme.${name}`, name, args: {} }
  return createTool({
    id: name,
    description: name,
    inputSchema: inputSchema as never,
    ...(outputSchema === undefined ? {} : { outputSchema: outputSchema as never }),
    ...(toModel === undefined
      ? {}
      : { toModelOutput: (output: unknown) => ({ type: 'text', value: toModel(output as never) }) }),
    ...(elsewhere === 'client'
      ? {}
      : {
          execute: async (input: unknown, context: Context) => {
            if (stream === undefined) return await run?.(input as never, { signal: context.abortSignal })
            let last: unknown
            for await (const part of stream(input as never)) {
              last = part
              await context.writer?.write(part)
            }
            return last
          },
        }),
  } as never)
}

interface Context {
  readonly abortSignal?: AbortSignal
  readonly writer?: { write(chunk: unknown): Promise<void> }
}
