/** What a user of `ai` 7 may rely on in their editor. Compiled by `tsc -p test/types`; it never runs. */
import { createMCPClient } from '@ai-sdk/mcp'
import {
  createUIMessageStream,
  dynamicTool,
  generateText,
  type InferUITools,
  jsonSchema,
  type LanguageModel,
  registerTelemetry,
  streamText,
  ToolLoopAgent,
  tool,
  type UIMessage,
  validateUIMessages,
} from 'ai'
import { z } from 'zod'
import {
  createTripwire,
  guardTools,
  type HoldpointData,
  holdpointDataSchema,
  holdpointStream,
  respond,
} from '../../adapters/ai-sdk/index.ts'
import type { Gate, Refusal } from '../../src/index.ts'

declare const gate: Gate
declare const model: LanguageModel

const tools = {
  erase: tool({
    description: 'd',
    inputSchema: z.object({ path: z.string() }),
    execute: async ({ path }) => ({ erased: path }),
  }),
  progress: tool({
    inputSchema: z.object({ n: z.number() }),
    async *execute({ n }) {
      yield { percent: n }
    },
  }),
  anything: dynamicTool({
    description: 'x',
    inputSchema: jsonSchema({ type: 'object' }),
    execute: async () => 1 as unknown,
  }),
  ask: tool({ inputSchema: z.object({ q: z.string() }), outputSchema: z.object({ a: z.number() }) }),
  marked: tool({
    inputSchema: z.object({}),
    metadata: { holdpoint: { materiality: 'low' } },
    execute: async () => 'x',
  }),
}
const guarded = guardTools(tools, gate, { ungated: ['ask'] })

// The input's very type comes out again.
const same: typeof tools = guarded.tools
void same
type Guarded = (typeof guarded)['tools']
type Message = UIMessage<unknown, { holdpoint: HoldpointData }, InferUITools<Guarded>>

export async function calls(): Promise<void> {
  const result = await generateText({ model, prompt: 'x', ...guarded })
  for (const call of result.toolCalls) {
    if (call.dynamic !== true && call.toolName === 'erase') {
      const path: string = call.input.path
      void path
      // @ts-expect-error the input has no such member
      void call.input.nope
    }
  }
  for (const made of result.toolResults) {
    if (made.dynamic !== true && made.toolName === 'erase') {
      const erased: string = made.output.erased
      void erased
    }
  }
  // @ts-expect-error an option that does not exist
  guardTools(tools, gate, { unguarded: ['ask'] })
  // @ts-expect-error a gate is not optional
  guardTools(tools)
}

export async function route(messages: Message[]): Promise<Response> {
  const result = streamText({ model, prompt: 'x', ...guarded })
  const plain = result.toUIMessageStream<Message>().pipeThrough(holdpointStream(gate))
  const chunk = (await plain.getReader().read()).value
  if (chunk?.type === 'data-holdpoint') {
    const data: HoldpointData = chunk.data
    void data
  }
  createUIMessageStream<Message>({
    execute: ({ writer }) => {
      writer.merge(result.toUIMessageStream<Message>().pipeThrough(holdpointStream(gate)))
    },
  })
  const agent = new ToolLoopAgent({ model, ...guarded })
  respond(await agent.stream({ prompt: 'x' }), gate)
  return respond(result, gate, {
    status: 200,
    client: 6,
    originalMessages: messages,
    sendReasoning: false,
    onFinish: ({ messages: finished }) => {
      const first: UIMessage | undefined = finished[0]
      void first
    },
  })
}

export async function stored(message: Message): Promise<void> {
  for (const part of message.parts) {
    if (part.type === 'tool-erase' && part.state === 'output-available') {
      const erased: string = part.output.erased
      void erased
    }
    if (part.type === 'tool-erase' && part.state === 'output-denied') {
      const reason: string | undefined = part.approval.reason
      void reason
    }
    if (part.type === 'data-holdpoint') {
      const refusal: Refusal | undefined = part.data.refusal
      void refusal
    }
  }
  await validateUIMessages<Message>({ messages: [message], dataSchemas: { holdpoint: holdpointDataSchema } })
}

export async function mcp(): Promise<void> {
  const client = await createMCPClient({ transport: { type: 'http', url: 'http://localhost' } })
  await generateText({ model, prompt: 'x', ...guardTools(await client.tools(), gate, { server: 'files' }) })
}

// Both majors take it as the integration that it is.
registerTelemetry(createTripwire(gate))
void generateText({ model, prompt: 'go', telemetry: { integrations: [createTripwire(gate)] } })
