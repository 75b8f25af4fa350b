import { createCodeMode, createTool, Tool } from '@mastra/core/tools'
import { z } from 'zod'
import { approvalFor, guardTools, holdpointHooks, reportOf, requestOf } from '../../../adapters/mastra/index.ts'
import type { Gate } from '../../../src/index.ts'
import type {
  Answer,
  HostDriver,
  ScriptedCall,
  StoredMessages,
  Turn,
  TurnResult,
} from '../../support/adapter-conformance.ts'
import { agentOf, hostTool, type PromptMessage, scriptedModel } from './host.ts'

/** The ways in which Mastra runs tools behind the gate. */
export type Mode = 'generate, guardTools' | 'stream, guardTools' | 'generate, holdpointHooks'

const UNTOLD = 'cannot be gated here: a hook cannot change a result'

export function mastraDriver(mode: Mode): HostDriver {
  const hooked = mode === 'generate, holdpointHooks'
  return {
    name: `mastra 1 ${mode}`,
    showsPreviews: mode === 'stream, guardTools',
    play: async (turn) => await new Playing(mode, turn).begin(),
    nested: async (turn) => await nested(mode, turn),
    identityLost: async (gate) => identityLost(gate),
    lacks: hooked
      ? {
          4: `${UNTOLD}, so nothing fails open: the model could not be told`,
          8: 'cannot be gated here: hooks do not suspend a run; guarded tools do, with approvalFor',
          9: 'cannot be gated here: hooks do not suspend a run; guarded tools do, with approvalFor',
          11: "cannot be gated here: what a hook returns goes through the tool's own toModelOutput",
          17: 'cannot be gated here: what a hook returns is a result to Mastra, whatever it says',
          13: 'cannot be gated here: no hook sees what a provider ran',
          14: 'cannot be gated here: no hook sees what code mode calls; guardTools does',
        }
      : { 13: 'cannot be gated here: no guarded tool sees what a provider ran; ERR_UNGATED names it before' },
  }
}

class Playing {
  readonly #mode: Mode
  readonly #turn: Turn
  readonly #tools: Readonly<Record<string, object>>
  readonly #scripted: ReturnType<typeof scriptedModel>
  readonly #agent: ReturnType<typeof agentOf>['agent']
  readonly #storage: ReturnType<typeof agentOf>['storage']

  constructor(mode: Mode, turn: Turn, extra: (tools: Readonly<Record<string, object>>) => object = (tools) => tools) {
    this.#mode = mode
    this.#turn = turn
    const own = Object.fromEntries(Object.entries(turn.tools).map(([name, tool]) => [name, hostTool(name, tool)]))
    const options = turn.ungated === undefined ? {} : { ungated: turn.ungated }
    const isHooked = mode === 'generate, holdpointHooks' && turn.bare !== true
    this.#tools = turn.bare === true || isHooked ? own : guardTools(own, turn.gate, options)
    const given = extra(this.#tools)
    this.#scripted = scriptedModel(turn.steps)
    const hooks = isHooked ? { hooks: holdpointHooks(turn.gate, { tools: { ...given } as never, ...options }) } : {}
    const { agent, storage } = agentOf(this.#scripted.model, given, hooks)
    this.#agent = agent
    this.#storage = storage
  }

  async begin(): Promise<TurnResult> {
    const { signal } = this.#turn
    const options = {
      maxSteps: 8,
      ...(signal === undefined ? {} : { abortSignal: signal }),
      ...(this.#turn.bare === true || this.#turn.gate.scope?.channel !== 'chat'
        ? {}
        : { requireToolApproval: approvalFor(this.#tools) }),
    } as never
    if (this.#mode !== 'stream, guardTools')
      return await this.#told((await this.#agent.generate('go', options)) as never, [])
    const output = await this.#agent.stream('go', options)
    const chunks: Chunk[] = []
    for await (const chunk of output.fullStream) chunks.push(chunk as never)
    return await this.#told((await output.getFullOutput()) as never, chunks)
  }

  async #told(output: Output, chunks: readonly Chunk[]): Promise<TurnResult> {
    const prompts = this.#scripted.prompts()
    return {
      saw: sawIn(prompts.at(-1) ?? []),
      prompts: JSON.stringify(prompts),
      said: output.text ?? '',
      shown: chunks.flatMap(({ type, payload }): TurnResult['shown'] => {
        if (type === 'tool-output') return [{ callId: payload.toolCallId ?? '', value: payload.output, preview: true }]
        return type === 'tool-result'
          ? [{ callId: payload.toolCallId ?? '', value: payload.result, preview: false }]
          : []
      }),
      stored: this.#stored(output, prompts.at(-1) ?? []),
      ...(output.finishReason === 'suspended' ? { paused: await this.#paused(output) } : {}),
    }
  }

  /** The saved run is put back before each answer: whoever has it may resume it as often as they like. */
  async #paused({ runId = '', suspendPayload }: Output) {
    const { toolCallId = '', toolName = '', args } = suspendPayload ?? {}
    const workflows = await this.#storage.getStore('workflows')
    const saved = structuredClone(await workflows?.listWorkflowRuns())?.runs ?? []
    const resume = async (answer: Answer): Promise<TurnResult> => {
      for (const { workflowName, runId: id, snapshot } of saved)
        await workflows?.persistWorkflowSnapshot({
          workflowName,
          runId: id,
          snapshot: structuredClone(snapshot) as never,
        })
      const asked = answer.edit === undefined ? args : answer.edit(args)
      const request = await requestOf(this.#tools[toolName] ?? {}, asked)
      await this.#turn.gate.answer(request?.ref ?? '', answer.approved ? 'approved' : 'declined')
      const output = await this.#agent.approveToolCallGenerate({
        runId,
        toolCallId,
        requireToolApproval: approvalFor(this.#tools),
      } as never)
      return await this.#told(output as never, [])
    }
    return { callIds: [toolCallId], resume }
  }

  /** What Mastra's memory would hold. Receipts have no place in it: they are in the side channel. */
  #stored({ response }: Output, prompt: readonly PromptMessage[]): StoredMessages {
    const messages = JSON.parse(JSON.stringify(response?.dbMessages ?? response?.messages ?? [])) as readonly object[]
    const ids = sawIn(prompt).map(({ callId }) => callId)
    return {
      validate: async () => {
        await agentOf(scriptedModel([]).model, this.#tools).agent.generate(messages as never)
      },
      nextPrompt: async () => {
        const next = scriptedModel([])
        await agentOf(next.model, this.#tools).agent.generate([
          ...messages,
          { role: 'user', content: 'and now?' },
        ] as never)
        return JSON.stringify(next.prompts())
      },
      stateOf: (callId) => {
        const output = prompt.flatMap(resultsIn).find((part) => part.toolCallId === callId)?.output
        const type = String(Reflect.get(Object(output), 'type'))
        return type.startsWith('error') ? 'output-error' : 'output-available'
      },
      receipts: ids.flatMap((id) => reportOf(this.#turn.gate, id)?.receipts.map((receipt) => receipt.id) ?? []),
    }
  }
}

interface Output {
  readonly text?: string
  readonly finishReason?: string
  readonly runId?: string
  readonly suspendPayload?: { readonly toolCallId?: string; readonly toolName?: string; readonly args?: unknown }
  readonly response?: { readonly messages?: readonly object[]; readonly dbMessages?: readonly object[] }
}

interface Chunk {
  readonly type: string
  readonly payload: { readonly toolCallId?: string; readonly output?: unknown; readonly result?: unknown }
}

function resultsIn({ role, content }: PromptMessage) {
  return role !== 'tool' || typeof content === 'string' ? [] : content.filter(({ type }) => type === 'tool-result')
}

function sawIn(prompt: readonly PromptMessage[]): TurnResult['saw'] {
  return prompt.flatMap(resultsIn).map(({ toolCallId, output }) => ({
    callId: toolCallId ?? '',
    text: JSON.stringify(output),
  }))
}

/** Code mode, with a transport that hands the program's one call over. */
async function nested(mode: Mode, turn: Turn & { readonly inner: ScriptedCall }): Promise<TurnResult> {
  const { inner } = turn
  const transport = {
    requiresSandbox: false,
    run: async ({ dispatch }: { dispatch(tool: string, args: unknown): Promise<unknown> }) => {
      try {
        return { success: true, result: await dispatch(inner.tool, inner.input), logs: [] }
      } catch (error) {
        return { success: false, error: { name: 'Error', message: String(error) }, logs: [] }
      }
    },
  }
  const steps = [[{ tool: 'execute_typescript', input: { code: 'x' }, id: 'outer' }]]
  const withCode = (tools: object) => ({
    ...guardTools({ execute_typescript: createCodeMode({ tools } as never, transport as never).tool }, turn.gate),
  })
  return await new Playing(mode, { ...turn, steps }, withCode).begin()
}

/** A tool with everything odd about it. */
function identityLost(gate: Gate): readonly string[] {
  const mark = Symbol('mark')
  const odd = createTool({
    id: 'odd',
    description: 'odd',
    inputSchema: z.object({}),
    outputSchema: z.object({ ok: z.boolean() }),
    suspendSchema: z.object({}),
    resumeSchema: z.object({}),
    requireApproval: true,
    providerOptions: { acme: { cache: true } },
    mcp: { annotations: { readOnlyHint: true } },
    execute: async () => ({ ok: true }),
  } as never) as unknown as object
  Object.assign(odd, { [mark]: 1 })
  Object.defineProperty(odd, 'lazy', { get: () => 'worked out late', enumerable: true })
  Object.defineProperty(odd, 'hidden', { value: 1 })
  const tools = Object.assign(Object.create(null) as Record<string, object>, { odd })
  const guarded = guardTools(tools, gate)
  const kept = guarded['odd'] ?? {}
  const names = Reflect.ownKeys(odd).filter((name) => name !== 'execute' && name !== 'toModelOutput')
  return [
    ...[...names, mark, 'lazy'].filter((name) => Reflect.get(kept, name) !== Reflect.get(odd, name)).map(String),
    ...(Object.keys(kept).includes('hidden') ? ['hidden is shown'] : []),
    ...(kept instanceof Tool ? [] : ['class']),
    ...(Object.getOwnPropertyDescriptor(kept, 'lazy')?.get === undefined ? ['getter'] : []),
    ...(Object.getPrototypeOf(guarded) === null ? [] : ['null-prototype record']),
  ]
}
