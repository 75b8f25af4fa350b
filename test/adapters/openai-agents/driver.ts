import {
  Agent,
  type AgentInputItem,
  type AgentOutputItem,
  type RunItem,
  Runner,
  RunState,
  type RunToolApprovalItem,
  type Tool,
  tool,
} from '@openai/agents'
import { z } from 'zod'
import {
  guardAgent,
  guardTools,
  type HoldpointData,
  questionOf,
  runOptions,
} from '../../../adapters/openai-agents/index.ts'
import type { Gate } from '../../../src/index.ts'
import type {
  Answer,
  HostDriver,
  ScriptedCall,
  ScriptedTool,
  StoredMessages,
  Turn,
  TurnResult,
} from '../../support/adapter-conformance.ts'
import { functionCall, ScriptedModel } from './host.ts'

/** How the host runs an agent: to the end, or telling what happens on the way. */
export type Mode = 'run' | 'stream'

/** The Agents SDK in one mode. */
export function openaiAgentsDriver(mode: Mode): HostDriver {
  return {
    name: `@openai/agents ${mode}`,
    // A tool of this host has no previews: what it gives is its result.
    showsPreviews: false,
    play: async (turn) => await play(mode, turn, prepare(turn)),
    nested: (turn) => nested(mode, turn),
    identityLost: async (gate) => identityLost(gate),
  }
}

/** An agent with a script. */
interface Prepared {
  readonly agent: Agent
  readonly models: readonly ScriptedModel[]
}

/** What an app has of a run, whichever way it ran. */
interface Ended {
  readonly finalOutput?: unknown
  readonly history: AgentInputItem[]
  readonly interruptions: readonly RunToolApprovalItem[]
  readonly newItems: readonly RunItem[]
  readonly state: State
}

type State = RunState<unknown, Agent>

function prepare(turn: Turn): Prepared {
  const model = new ScriptedModel(turn.steps.map((step) => step.map(said)))
  const tools = Object.entries(turn.tools).map(([name, scripted]) => hostTool(name, scripted))
  const agent = new Agent({ name: 'Support', model, tools })
  if (turn.bare === true) return { agent, models: [model] }
  const options = turn.ungated === undefined ? {} : { ungated: turn.ungated }
  return { agent: guardAgent(agent, turn.gate, options), models: [model] }
}

function hostTool(name: string, { input, output, run, stream, elsewhere, toModel }: ScriptedTool): Tool {
  if (elsewhere !== undefined) return { type: 'hosted_tool', name, providerData: { type: name } }
  const format = async ({ output: value }: { readonly output: unknown }) => ({
    behavior: { type: 'rejectContent' as const, message: toModel?.(value as never) ?? '' },
  })
  return tool({
    name,
    description: name,
    parameters: input as z.ZodObject,
    execute: async (
      given: unknown,
      _context: unknown,
      details: { readonly signal?: AbortSignal } | undefined,
    ): Promise<never> =>
      (stream === undefined ? run?.(given as never, { signal: details?.signal }) : stream(given as never)) as never,
    // A schema of the result would forbid the host's own way to put it into words.
    ...(output instanceof z.ZodObject && toModel === undefined ? { outputSchema: output } : {}),
    ...(toModel === undefined ? {} : { outputGuardrails: [{ name: 'in words', run: format }] }),
  }) as Tool
}

function said({ tool: name, input, id, providerResult }: ScriptedCall): AgentOutputItem {
  if (providerResult === undefined) return functionCall(name, input, id)
  return { type: 'hosted_tool_call', id, name, status: 'completed', providerData: { result: providerResult } }
}

async function play(mode: Mode, turn: Turn, prepared: Prepared): Promise<TurnResult> {
  return await go(mode, turn, prepared, 'go')
}

async function go(mode: Mode, turn: Turn, prepared: Prepared, input: string | State): Promise<TurnResult> {
  const runner = new Runner({ tracingDisabled: true, ...runOptions(turn.gate) })
  const signal = turn.signal === undefined ? {} : { signal: turn.signal }
  const ended: Ended = await (mode === 'run'
    ? runner.run(prepared.agent, input, signal)
    : streamed(runner, prepared.agent, input, signal))
  const [model] = prepared.models
  const questions = await Promise.all(ended.interruptions.map((item) => questionOf(turn.gate, item)))
  const saved = ended.state.toString()
  return {
    saw: (model?.results ?? []).flatMap((item) =>
      'callId' in item && 'output' in item ? [{ callId: item.callId, text: JSON.stringify(item.output) }] : [],
    ),
    prompts: `[${prepared.models.map(({ prompts }) => prompts).join(',')}]`,
    said: String(ended.finalOutput ?? ''),
    shown: ended.newItems.flatMap((item) =>
      item.type === 'tool_call_output_item' && 'callId' in item.rawItem
        ? [{ callId: String(item.rawItem.callId), value: item.output, preview: false }]
        : [],
    ),
    stored: storedOf(turn, prepared, ended, saved),
    ...(ended.interruptions.length === 0
      ? {}
      : {
          paused: {
            callIds: ended.interruptions.map(({ rawItem }) => ('callId' in rawItem ? rawItem.callId : '')),
            resume: async (answer) => {
              const next = prepare({ ...turn, steps: [] })
              for (const question of questions)
                await turn.gate.answer(question?.ref ?? '', answer.approved ? 'approved' : 'declined')
              const state = await RunState.fromString<unknown, Agent>(next.agent, edited(saved, answer))
              for (const item of state.getInterruptions()) {
                if (answer.approved) state.approve(item)
                else state.reject(item)
              }
              return await go(mode, turn, next, state)
            },
          },
        }),
  }
}

async function streamed(
  runner: Runner,
  agent: Agent,
  input: string | State,
  signal: { readonly signal?: AbortSignal },
): Promise<Ended> {
  const result = await runner.run(agent, input, { ...signal, stream: true })
  for await (const _event of result) void _event
  await result.completed
  return result
}

/** A client that changes the arguments in a run that it was given to keep. */
function edited(saved: string, { edit }: Answer): string {
  if (edit === undefined) return saved
  return JSON.stringify(
    JSON.parse(saved, (_name, value) =>
      value?.type === 'function_call'
        ? { ...value, arguments: JSON.stringify(edit(JSON.parse(value.arguments))) }
        : value,
    ),
  )
}

/** What an app keeps of a run: its state as text, with what stands beside each output. */
function storedOf(turn: Turn, prepared: Prepared, ended: Ended, saved: string): StoredMessages {
  const items = JSON.parse(JSON.stringify(ended.newItems)) as readonly {
    readonly rawItem: { readonly callId?: string }
    readonly customData?: { readonly holdpoint?: HoldpointData }
  }[]
  const beside = items.flatMap(({ customData }) => (customData?.holdpoint === undefined ? [] : [customData.holdpoint]))
  return {
    validate: async () => {
      await RunState.fromString(prepared.agent, saved)
    },
    nextPrompt: async () => {
      const next = prepare({ ...turn, steps: [] })
      await new Runner({ tracingDisabled: true }).run(next.agent, [
        ...ended.history,
        { role: 'user', content: 'and now?' },
      ])
      return next.models[0]?.prompts ?? ''
    },
    // The host itself has one state for a call that gave something; what it was stands beside it.
    stateOf: (callId) =>
      beside.some(({ toolCallId, outcome }) => toolCallId === callId && outcome === 'refused')
        ? 'output-denied'
        : 'output-available',
    receipts: beside.flatMap(({ receipts }) => receipts.map(({ id }) => id)),
  }
}

/** An agent as the tool of another: its tools are called in a run of its own. */
async function nested(mode: Mode, turn: Turn & { readonly inner: ScriptedCall }): Promise<TurnResult> {
  const inner = prepare({ ...turn, steps: [[turn.inner]] })
  const outer = new ScriptedModel([[functionCall('outer', { input: 'go' }, 'outer')]])
  const agent = new Agent({
    name: 'Outer',
    model: outer,
    tools: [inner.agent.asTool({ toolName: 'outer', toolDescription: 'does it' })],
  })
  return await play(mode, turn, { agent: guardAgent(agent, turn.gate), models: [outer, ...inner.models] })
}

/** A tool with everything odd about it. */
function identityLost(gate: Gate): readonly string[] {
  const mark = Symbol('mark')
  class Base {
    get title() {
      return 'Odd'
    }
    async invoke() {
      return this
    }
  }
  const odd: object = Object.assign(new Base(), {
    type: 'function',
    name: 'odd',
    description: 'odd',
    parameters: { type: 'object', properties: {}, required: [], additionalProperties: false },
    strict: true,
    providerData: { acme: 1 },
    timeoutMs: 5,
    needsApproval: async () => false,
    isEnabled: async () => true,
    [mark]: 1,
  })
  Object.defineProperty(odd, 'hidden', { value: 1 })
  Object.defineProperty(odd, 'lazy', { get: () => 'worked out late', enumerable: true })
  const [kept = {}] = guardTools([odd], gate)
  const names = [
    'type',
    'name',
    'title',
    'parameters',
    'strict',
    'providerData',
    'timeoutMs',
    'isEnabled',
    'hidden',
    'lazy',
    mark,
  ] as const
  const namespaced = guardAgent(new Agent({ name: 'A', tools: [] }), gate)
  return [
    ...names.filter((name) => Reflect.get(kept, name) !== Reflect.get(odd, name)).map(String),
    ...(Object.keys(kept).includes('hidden') ? ['hidden is hidden'] : []),
    ...(kept instanceof Base ? [] : ['prototype']),
    ...(Object.getOwnPropertyDescriptor(kept, 'lazy')?.get === undefined ? ['getter'] : []),
    ...(namespaced instanceof Agent ? [] : ['the class of an agent']),
  ]
}
