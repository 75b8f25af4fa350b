import {
  AIMessage,
  type BaseMessage,
  HumanMessage,
  mapChatMessagesToStoredMessages,
  mapStoredMessagesToChatMessages,
  ToolMessage,
} from '@langchain/core/messages'
import { StructuredTool, tool } from '@langchain/core/tools'
import { Command, MemorySaver, MessagesAnnotation, StateGraph } from '@langchain/langgraph'
import { ToolNode, toolsCondition } from '@langchain/langgraph/prebuilt'
import { createAgent } from 'langchain'
import { z } from 'zod'
import { guardTools, type HoldpointData, holdpointMiddleware } from '../../../adapters/langchain/index.ts'
import { type Gate, HoldpointError } from '../../../src/index.ts'
import type {
  Answer,
  HostDriver,
  ScriptedCall,
  StoredMessages,
  Turn,
  TurnResult,
} from '../../support/adapter-conformance.ts'
import { hostTool, ScriptedModel, sent } from './host.ts'

/** The ways in which LangChain runs tools behind the gate. */
export type Mode = 'createAgent, holdpointMiddleware' | 'createAgent, guardTools' | 'ToolNode, guardTools'

export function langchainDriver(mode: Mode): HostDriver {
  return {
    name: `langchain 1 ${mode}`,
    showsPreviews: true,
    play: async (turn) => await new Playing(mode, turn).begin(),
    nested: async (turn) => await nested(mode, turn),
    identityLost: async (gate) => identityLost(gate),
    lacks:
      mode === 'createAgent, holdpointMiddleware'
        ? {}
        : {
            13: "cannot be gated here: guarded tools see no answer of the model, so the middleware marks the provider's calls",
          },
  }
}

/** A compiled graph, as far as the tests use one. */
export interface Graph {
  invoke(input: unknown, config: object): Promise<GraphState>
  getState(config: object): Promise<{ readonly config: object; readonly values: GraphState }>
}

export interface GraphState {
  readonly messages: readonly BaseMessage[]
  readonly __interrupt__?: readonly { readonly id: string; readonly value: Paused }[]
}

interface Paused {
  readonly actionRequests: readonly { readonly name: string; readonly args: unknown }[]
}

/** The graph that runs these tools in this way. */
export function graphOf(mode: Mode, model: ScriptedModel, tools: readonly object[], turn: Omit<Turn, 'steps'>): Graph {
  const checkpointer = new MemorySaver()
  const options = turn.ungated === undefined ? {} : { ungated: turn.ungated }
  const given = (
    turn.bare === true || mode === 'createAgent, holdpointMiddleware' ? tools : guardTools(tools, turn.gate, options)
  ) as never
  if (mode === 'ToolNode, guardTools') return nodeGraph(model, given, checkpointer)
  const middleware =
    turn.bare === true || mode === 'createAgent, guardTools' ? [] : [holdpointMiddleware(turn.gate, options)]
  const agent = createAgent({ model, tools: given, checkpointer, middleware })
  return {
    invoke: async (input, config) => (await agent.invoke(input as never, config)) as unknown as GraphState,
    getState: async (config) => (await agent.graph.getState(config)) as never,
  }
}

function nodeGraph(model: ScriptedModel, tools: never, checkpointer: MemorySaver): Graph {
  return new StateGraph(MessagesAnnotation)
    .addNode('agent', async ({ messages }, config) => ({ messages: [await model.invoke(messages, config)] }))
    .addNode('tools', new ToolNode(tools))
    .addEdge('__start__', 'agent')
    .addConditionalEdges('agent', toolsCondition, ['tools', '__end__'])
    .addEdge('tools', 'agent')
    .compile({ checkpointer }) as unknown as Graph
}

let threads = 0

class Playing {
  readonly #mode: Mode
  readonly #turn: Turn
  readonly #model: ScriptedModel
  readonly #graph: Graph
  readonly #thread = { configurable: { thread_id: `thread-${threads++}` } }

  constructor(mode: Mode, turn: Turn, tools: readonly object[] = hostTools(turn)) {
    this.#mode = mode
    this.#turn = turn
    this.#model = new ScriptedModel(turn.steps)
    this.#graph = graphOf(mode, this.#model, tools, turn)
  }

  async begin(): Promise<TurnResult> {
    return await this.#run({ messages: [new HumanMessage('go')] }, this.#thread)
  }

  async #run(input: unknown, at: object): Promise<TurnResult> {
    const { signal } = this.#turn
    const previews = new Previews()
    const before = this.#model.prompts.length
    const state = await this.#graph
      .invoke(input, { ...at, callbacks: [previews], ...(signal === undefined ? {} : { signal }) })
      .catch((error: unknown) => {
        // The host wraps what a middleware throws.
        const cause: unknown = Reflect.get(Object(error), 'cause')
        throw cause instanceof HoldpointError ? cause : error
      })
    const prompts = this.#model.prompts.slice(before)
    const results = state.messages.filter(ToolMessage.isInstance)
    const told = (prompts.at(-1) ?? []).filter(ToolMessage.isInstance)
    const questions = state.__interrupt__ ?? []
    const paused = await this.#graph.getState(this.#thread)
    return {
      saw: told.map((message) => ({
        callId: message.tool_call_id,
        text: JSON.stringify({ content: message.content, status: message.status }),
      })),
      prompts: JSON.stringify(prompts.map(sent)),
      said: textOf(state.messages.at(-1)),
      shown: [
        ...previews.seen,
        ...results.map(({ tool_call_id: callId, content }) => ({ callId, value: content, preview: false })),
      ],
      stored: this.#stored(state.messages),
      ...(questions.length === 0
        ? {}
        : {
            paused: {
              callIds: questions.map(({ id }) => id),
              resume: async (answer) => {
                const decided = questions.map(({ id, value }) => [id, { decisions: [decisionOf(answer, value)] }])
                return await this.#run(new Command({ resume: Object.fromEntries(decided) }), paused.config)
              },
            },
          }),
    }
  }

  /** Messages as an app's own table holds them. */
  #stored(messages: readonly BaseMessage[]): StoredMessages {
    const stored = JSON.parse(JSON.stringify(mapChatMessagesToStoredMessages([...messages]))) as never
    const again = () => mapStoredMessagesToChatMessages(stored)
    const results = again().filter(ToolMessage.isInstance)
    return {
      validate: async () => {
        if (!again().every((message) => message.type !== 'tool' || ToolMessage.isInstance(message)))
          throw new Error('a tool message came back as something else')
      },
      nextPrompt: async () => {
        const model = new ScriptedModel([])
        const graph = graphOf(this.#mode, model, hostTools(this.#turn), this.#turn)
        await graph.invoke(
          { messages: [...again(), new HumanMessage('and now?')] },
          { configurable: { thread_id: `thread-${threads++}` } },
        )
        return JSON.stringify(model.prompts.map(sent))
      },
      stateOf: (callId) => {
        const result = results.findLast((message) => message.tool_call_id === callId)
        if (result === undefined) return undefined
        return result.status === 'error' ? 'output-error' : 'output-available'
      },
      receipts: results.flatMap((message) =>
        ((message.additional_kwargs['holdpoint'] as HoldpointData | undefined)?.receipts ?? []).map(({ id }) => id),
      ),
    }
  }
}

function hostTools(turn: Turn): readonly object[] {
  return Object.entries(turn.tools).map(([name, scripted]) => hostTool(name, scripted))
}

function textOf(message: BaseMessage | undefined): string {
  return AIMessage.isInstance(message) && typeof message.content === 'string' ? message.content : ''
}

function decisionOf({ approved, edit }: Answer, { actionRequests }: Paused): object {
  const [action] = actionRequests
  if (edit !== undefined) return { type: 'edit', editedAction: { name: action?.name, args: edit(action?.args) } }
  return approved ? { type: 'approve' } : { type: 'reject', message: 'no' }
}

/** What a screen that listens to the host's tool events gets. */
class Previews {
  readonly name = 'previews'
  readonly seen: { callId: string; value: unknown; preview: boolean }[] = []
  readonly #calls = new Map<string, string>()

  handleToolStart(...started: readonly unknown[]): void {
    this.#calls.set(String(started[2]), String(started[7]))
  }

  handleToolEvent(chunk: unknown, runId: string): void {
    this.seen.push({ callId: this.#calls.get(runId) ?? '', value: chunk, preview: true })
  }
}

/** A tool that calls another one: what it calls is guarded beforehand. */
async function nested(mode: Mode, turn: Turn & { readonly inner: ScriptedCall }): Promise<TurnResult> {
  const { inner } = turn
  const called = guardTools(hostTools(turn), turn.gate) as readonly { invoke(input: unknown): Promise<unknown> }[]
  const outer = tool(
    async () => {
      const result = await called[0]?.invoke({ type: 'tool_call', name: inner.tool, args: inner.input, id: inner.id })
      return ToolMessage.isInstance(result) ? result.content : result
    },
    { name: 'outer', description: 'calls another tool', schema: z.object({}) },
  )
  return await new Playing(mode, { ...turn, steps: [[{ tool: 'outer', input: {}, id: 'outer' }]] }, [outer]).begin()
}

/** A tool with everything odd about it. */
function identityLost(gate: Gate): readonly string[] {
  const mark = Symbol('mark')
  class Odd extends StructuredTool {
    readonly name = 'odd'
    readonly description = 'odd'
    readonly schema = z.object({})
    override returnDirect = true
    override responseFormat = 'content_and_artifact'
    readonly [mark] = 1
    get late() {
      return 'worked out late'
    }
    override async _call() {
      return ['x', { of: 'odd' }]
    }
  }
  const odd = new Odd({ extras: { cache: true }, metadata: { team: 'a' }, verboseParsingErrors: true })
  Object.defineProperty(odd, 'hidden', { value: 1 })
  const [kept = odd] = guardTools([odd], gate)
  const names = [
    'name',
    'description',
    'schema',
    'extras',
    'metadata',
    'returnDirect',
    'responseFormat',
    'verboseParsingErrors',
    'late',
    'hidden',
    'lc_namespace',
    mark,
  ]
  return [
    ...names
      .filter((name) => JSON.stringify(Reflect.get(kept, name)) !== JSON.stringify(Reflect.get(odd, name)))
      .map(String),
    ...(Object.keys(kept).includes('hidden') ? ['hidden is shown'] : []),
    ...(kept instanceof Odd ? [] : ['class']),
    ...(kept.schema === odd.schema ? [] : ['the very schema']),
  ]
}
