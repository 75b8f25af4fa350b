import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import { z } from 'zod'
import { guardRunner, guardTools, reportOf } from '../../../adapters/anthropic/index.ts'
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
import { type Block, type ScriptedModel, scriptedModel, toolUse } from './model.ts'

/** The ways in which the tool runner runs. */
export type Mode = 'toolRunner' | 'toolRunner stream' | 'toolRunner eager'

const SETTINGS: Readonly<Record<Mode, object>> = {
  toolRunner: {},
  'toolRunner stream': { stream: true },
  'toolRunner eager': { stream: true, runToolsEagerly: true },
}

/** What nesting adds: an outer tool that calls the guarded ones. */
interface Extra {
  readonly outer?: (call: (name: string, input: unknown) => Promise<unknown>) => Promise<unknown>
}

interface Message {
  readonly role: string
  readonly content: string | readonly Block[]
}

const USER: Message = { role: 'user', content: 'go' }

/** One way of running. */
export function anthropicDriver(mode: Mode): HostDriver {
  return {
    name: `@anthropic-ai/sdk 1 ${mode}`,
    showsPreviews: false,
    play: (turn) => play(mode, turn, {}),
    nested: (turn) => nested(mode, turn),
    identityLost: async (gate) => identityLost(gate),
  }
}

async function play(mode: Mode, turn: Turn, extra: Extra): Promise<TurnResult> {
  const own = Object.entries(turn.tools).map(([name, tool]) => hostTool(name, tool))
  const ungated = turn.ungated === undefined ? {} : { ungated: turn.ungated }
  const tools = turn.bare === true ? own : guardTools(own, turn.gate, ungated)
  const model = scriptedModel(turn.steps.map((step) => step.flatMap(blocksOf)))
  const settings = { model: 'm', max_tokens: 10, messages: [USER], tools: [...tools, ...outerOf(tools, extra)] }
  const options = turn.signal === undefined ? {} : { signal: turn.signal }
  const bare = model.client.beta.messages.toolRunner({ ...settings, ...SETTINGS[mode] } as never, options)
  const runner = turn.bare === true ? bare : guardRunner(bare, turn.gate)
  const said = await runner.runUntilDone().then(
    ({ content }) => content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join(''),
    (error: unknown) => `failed: ${String(error)}`,
  )
  return told(mode, turn, extra, model, said, runner.params.messages as unknown as readonly Message[])
}

function told(
  mode: Mode,
  turn: Turn,
  extra: Extra,
  model: ScriptedModel,
  said: string,
  history: readonly Message[],
): TurnResult {
  const saw = sawIn(history)
  const waiting = saw.flatMap(({ callId, text }) => {
    const ref = /\\"ref\\":\\"(hp_[^"\\]+)/.exec(text)?.[1]
    return ref === undefined ? [] : [{ callId, ref }]
  })
  return {
    saw,
    // The API keeps the conversation and is sent what is new: the rest of what the model reads is in the history.
    prompts: JSON.stringify([model.requests, history]),
    said,
    shown: saw.map(({ callId, text }) => ({ callId, value: text, preview: false })),
    stored: stored(turn.gate, history),
    ...(waiting.length === 0
      ? {}
      : {
          paused: {
            callIds: waiting.map(({ callId }) => callId),
            // A refusal is one: whoever said yes sends the same conversation again, and the model asks anew.
            resume: async ({ approved, edit }: Answer) => {
              for (const { ref } of waiting) await turn.gate.answer(ref, approved ? 'approved' : 'declined')
              const again = turn.steps
                .flat()
                .filter(({ id }) => waiting.some(({ callId }) => callId === id))
                .map((call) => (edit === undefined ? call : { ...call, input: edit(call.input) }))
              return await play(mode, { ...turn, steps: [again] }, extra)
            },
          },
        }),
  }
}

function hostTool(name: string, tool: ScriptedTool): object {
  if (tool.elsewhere !== undefined) return { type: 'web_search_20250305', name }
  return betaZodTool({
    name,
    description: name,
    inputSchema: tool.input as z.ZodObject,
    run: async (input, context) => await contentOf(ran(tool, input, context?.signal ?? undefined)),
  })
}

function ran({ run, stream, toModel }: ScriptedTool, input: unknown, signal: AbortSignal | undefined): unknown {
  if (stream !== undefined) return stream(input as never)
  const result = run?.(input as never, { signal })
  return toModel === undefined ? result : toModel(result as never)
}

/** The runner takes text and blocks alone. */
async function contentOf(result: unknown): Promise<string> {
  const value = await result
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null || !(Symbol.asyncIterator in value))
    return JSON.stringify(value) ?? ''
  let last: unknown
  for await (const part of value as AsyncIterable<unknown>) last = part
  return JSON.stringify(last)
}

function blocksOf({ tool, input, id, providerResult }: ScriptedCall): readonly Block[] {
  if (providerResult === undefined) return [toolUse(tool, input, id)]
  return [
    { type: 'server_tool_use', id, name: tool, input },
    { type: 'web_search_tool_result', tool_use_id: id, content: [providerResult] },
  ]
}

function sawIn(history: readonly Message[]): readonly ModelSaw[] {
  return history.flatMap(({ content }) =>
    typeof content === 'string'
      ? []
      : content.flatMap((block) =>
          block.type === 'tool_result'
            ? [{ callId: String(block['tool_use_id']), text: JSON.stringify(block['content']) }]
            : [],
        ),
  )
}

function stored(gate: Gate, kept: readonly Message[]): StoredMessages {
  const history = JSON.parse(JSON.stringify(kept)) as readonly Message[]
  const blocks = history.flatMap(({ content }) => (typeof content === 'string' ? [] : content))
  const results = blocks.filter(({ type }) => type === 'tool_result')
  return {
    validate: async () => {
      const asked = blocks.flatMap((block) => (block.type === 'tool_use' ? [block['id']] : []))
      const answered = results.map((block) => block['tool_use_id'])
      if (JSON.stringify(asked.sort()) !== JSON.stringify(answered.sort()))
        throw new Error(`calls ${asked.join()} and answers ${answered.join()} do not match, and the API refuses that`)
    },
    nextPrompt: async () => JSON.stringify(history),
    stateOf: (callId) => {
      const result = results.find((block) => block['tool_use_id'] === callId)
      return result?.['is_error'] === true ? 'output-error' : 'output-available'
    },
    receipts: results.flatMap(
      (block) => reportOf(gate, String(block['tool_use_id']))?.receipts.map((receipt) => receipt.id) ?? [],
    ),
  }
}

type Runnable = { readonly name: string; parse(input: unknown): unknown; run(input: unknown): Promise<unknown> }

function outerOf(guarded: readonly object[], { outer }: Extra): readonly object[] {
  if (outer === undefined) return []
  const call = async (name: string, input: unknown) => {
    const inner = (guarded as readonly Runnable[]).find((tool) => tool.name === name)
    return await inner?.run(inner.parse(input))
  }
  const run = async () => String(await outer(call))
  return [betaZodTool({ name: 'outer', description: 'calls another tool', inputSchema: z.object({}), run })]
}

async function nested(mode: Mode, turn: Turn & { readonly inner: ScriptedCall }): Promise<TurnResult> {
  const { inner } = turn
  const outer = async (call: (name: string, input: unknown) => Promise<unknown>) => await call(inner.tool, inner.input)
  return await play(mode, { ...turn, steps: [[{ tool: 'outer', input: {}, id: 'outer' }]] }, { outer })
}

/** A tool with everything odd about it. */
function identityLost(gate: Gate): readonly string[] {
  const mark = Symbol('mark')
  class Base {
    get title() {
      return 'Odd'
    }
    async run() {
      return 'x'
    }
  }
  const odd: object = Object.assign(new Base(), {
    type: 'custom',
    name: 'odd',
    description: 'odd',
    input_schema: { type: 'object' },
    cache_control: { type: 'ephemeral' },
    parse: JSON.parse,
    close: () => undefined,
    [mark]: 1,
  })
  Object.defineProperty(odd, 'lazy', { get: () => 'worked out late', enumerable: true })
  const [kept] = guardTools([odd], gate)
  const names = [
    'type',
    'name',
    'description',
    'input_schema',
    'cache_control',
    'parse',
    'close',
    'title',
    'lazy',
    mark,
  ] as const
  return [
    ...names.filter((name) => Reflect.get(kept, name) !== Reflect.get(odd, name)).map(String),
    ...(kept instanceof Base ? [] : ['prototype']),
    ...(Object.getOwnPropertyDescriptor(kept, 'lazy')?.get === undefined ? ['getter'] : []),
  ]
}
