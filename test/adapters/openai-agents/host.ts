import {
  Agent,
  type AgentInputItem,
  type AgentOptions,
  type AgentOutputItem,
  type Model,
  type ModelRequest,
  Runner,
  type StreamEvent,
  Usage,
} from '@openai/agents'
import { runOptions } from '../../../adapters/openai-agents/index.ts'
import type { Gate } from '../../../src/index.ts'

/** A model that says what the test wrote, a step at a time, and then `done`. */
export class ScriptedModel implements Model {
  readonly requests: ModelRequest[] = []
  readonly #steps: readonly (readonly AgentOutputItem[])[]

  constructor(steps: readonly (readonly AgentOutputItem[])[]) {
    this.#steps = steps
  }

  async getResponse(request: ModelRequest) {
    this.requests.push({ ...request, input: structuredClone(request.input) })
    const output = [...(this.#steps[this.requests.length - 1] ?? [message('done')])]
    return { usage: new Usage(), output, responseId: `r${this.requests.length}` }
  }

  async *getStreamedResponse(request: ModelRequest): AsyncIterable<StreamEvent> {
    const { output, responseId } = await this.getResponse(request)
    const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 }
    yield { type: 'response_done', response: { id: responseId, usage, output } } as StreamEvent
  }

  /** Everything that this model was sent, as JSON text. */
  get prompts(): string {
    return JSON.stringify(this.requests.map(({ input, systemInstructions }) => [systemInstructions, input]))
  }

  /** What the newest request says of each call that ran here. */
  get results(): readonly AgentInputItem[] {
    const input = this.requests.at(-1)?.input ?? []
    return typeof input === 'string' ? [] : input.filter((item) => /_(call_)?(result|output)$/.test(String(item.type)))
  }
}

export function message(text: string): AgentOutputItem {
  return { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] }
}

/** A call of a function tool, its arguments as the text that a model writes. */
export function functionCall(name: string, input: unknown, callId = 'c1'): AgentOutputItem {
  const text = typeof input === 'string' ? input : JSON.stringify(input)
  return { type: 'function_call', id: `f-${callId}`, callId, name, arguments: text, status: 'completed' }
}

/** A runner that keeps to itself: no traces leave. */
export function runnerFor(gate: Gate): Runner {
  return new Runner({ tracingDisabled: true, ...runOptions(gate) })
}

/** What the model was told of a call, as text. */
export function told(model: ScriptedModel, callId: string): string {
  return JSON.stringify(model.results.filter((item) => 'callId' in item && item.callId === callId))
}

/** An agent over a script. */
export function agentOf(model: Model, parts: Partial<AgentOptions> = {}): Agent {
  return new Agent<unknown, 'text'>({ name: 'Support', model, ...parts })
}
