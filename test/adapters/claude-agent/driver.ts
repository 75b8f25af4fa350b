import {
  createSdkMcpServer,
  type Options,
  type Query,
  query,
  type SDKUserMessage,
  tool,
} from '@anthropic-ai/claude-agent-sdk'
import type { z } from 'zod'
import { claudeOptions, guardTools } from '../../../adapters/claude-agent/index.ts'
import type { Gate } from '../../../src/index.ts'
import { testGate } from '../../../src/testing.ts'
import type { Answer, HostDriver, ScriptedTool, Turn, TurnResult } from '../../support/adapter-conformance.ts'
import { type Block, type Message, Surroundings, textOf, toldIn } from './cli.ts'

/** As the tests' gates call it. */
const SERVER = 'test'

type Hooks = NonNullable<Options['hooks']>
type Guarded = ReturnType<typeof claudeOptions>

/** One turn, from the app's side: what the gate gives the host, and a person who may be waited for. */
interface Played {
  readonly guarded: Guarded | undefined
  readonly tools: ReturnType<typeof hostTools>
  /** The person of this turn: resolves once they are asked, and answers when told. */
  readonly person: Person
}

class Person {
  readonly asked = Promise.withResolvers<void>()
  readonly #answer = Promise.withResolvers<Answer>()

  async ask(): Promise<Answer> {
    this.asked.resolve()
    return await this.#answer.promise
  }

  answer(answer: Answer): void {
    this.#answer.resolve(answer)
  }
}

/**
 * The Claude Agent SDK with its bundled CLI. One process serves the turns that need nothing of their own: its servers are exchanged
 * between them, and its hooks are those of the turn.
 */
export class ClaudeDriver implements HostDriver {
  readonly name = '@anthropic-ai/claude-agent-sdk query'
  readonly showsPreviews = false
  readonly lacks = {
    13: 'nothing runs at the provider: the CLI runs every tool, and asks its hooks first',
    17: 'the CLI keeps the conversation in files of its own, and an app stores no messages',
  }
  readonly #surroundings = new Surroundings()
  #session: Promise<Session> | undefined

  async play(turn: Turn): Promise<TurnResult> {
    if (turn.signal !== undefined)
      return await this.#alone(
        turn,
        [],
        turn.steps.map((step) => said(step)),
      )
    this.#session ??= Session.open(this.#surroundings)
    return await (await this.#session).play(turn, (again) => this.#alone(turn, [], again, 'approved'))
  }

  /** A tool that a subagent calls. */
  async nested(turn: Parameters<NonNullable<HostDriver['nested']>>[0]): Promise<TurnResult> {
    const { inner } = turn
    const input = { description: 'd', prompt: 'go', subagent_type: 'general-purpose', run_in_background: false }
    return await this.#alone(
      turn,
      ['Agent'],
      [[{ type: 'tool_use', id: 'outer', name: 'Agent', input }], said([inner])],
    )
  }

  async identityLost(gate: Gate): Promise<readonly string[]> {
    return identityLost(gate)
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined)
    session?.end()
    this.#surroundings.close()
  }

  /** A process for this turn alone. */
  async #alone(
    turn: Turn,
    tools: string[],
    replies: readonly (readonly Block[])[],
    says: 'approved' | 'declined' = 'declined',
  ): Promise<TurnResult> {
    const surroundings = new Surroundings()
    const { model } = surroundings
    model.replies = [...replies]
    const leaving = new AbortController()
    turn.signal?.addEventListener('abort', () => leaving.abort())
    try {
      const played = play(turn)
      played.person.answer({ approved: says === 'approved' })
      const options = {
        ...(await surroundings.options()),
        ...played.guarded,
        tools,
        abortController: leaving,
        mcpServers: { [SERVER]: createSdkMcpServer({ name: SERVER, tools: played.tools }) },
      }
      let text = ''
      for await (const message of query({ prompt: 'go', options }))
        if (message.type === 'result' && message.subtype === 'success') text = message.result
      return resultOf(model.asked.at(-1) ?? [], model.asked.flat(), text)
    } finally {
      surroundings.close()
    }
  }
}

/** One CLI process that is talked to turn by turn. */
class Session {
  readonly #surroundings: Surroundings
  readonly #words = new Words()
  readonly #query: Query
  #playing: Played | undefined
  #ended = Promise.withResolvers<string>()
  #turns = 0

  static async open(surroundings: Surroundings): Promise<Session> {
    return new Session(surroundings, await surroundings.options())
  }

  private constructor(surroundings: Surroundings, options: Options) {
    this.#surroundings = surroundings
    this.#query = query({
      prompt: this.#words,
      options: {
        ...options,
        maxTurns: 500,
        hooks: this.#hooks(),
        // A page that shows the question and sends an answer back, with other arguments where somebody meddled with it.
        canUseTool: async (name, input, question) => {
          const { guarded, person } = this.#playing ?? {}
          const answer = await person?.ask()
          const changed = answer?.edit === undefined ? input : (answer.edit(input) as Record<string, unknown>)
          return (await guarded?.canUseTool(name, changed, question)) ?? null
        },
      },
    })
    void this.#listen()
  }

  /** @param again plays the same calls in a session that has never seen them, for a person who says yes to all */
  async play(turn: Turn, again: (replies: readonly (readonly Block[])[]) => Promise<TurnResult>): Promise<TurnResult> {
    const played = play(turn)
    this.#playing = played
    const { model } = this.#surroundings
    this.#turns += 1
    const marker = `turn ${this.#turns}`
    const replies = turn.steps.map((step) => said(step, `:${this.#turns}`))
    model.replies = [...replies]
    model.asked = []
    await this.#query.setMcpServers({})
    await this.#query.setMcpServers({ [SERVER]: createSdkMcpServer({ name: SERVER, tools: played.tools }) })
    this.#ended = Promise.withResolvers()
    this.#words.say(marker)
    const finish = async (): Promise<TurnResult> => {
      const text = await this.#ended.promise
      const since = model.asked.map((messages) => messages.slice(lastWith(messages, marker)))
      return resultOf(since.at(-1) ?? [], since.flat(), text)
    }
    const first = await Promise.race([this.#ended.promise, played.person.asked.promise.then(() => 'asked' as const)])
    if (first !== 'asked') return await finish()
    let isAnswered = false
    const resume = async (answer: Answer): Promise<TurnResult> => {
      // The same calls once more, as from a copy of the session in which they had not run yet.
      if (isAnswered) return await again(replies)
      isAnswered = true
      played.person.answer(answer)
      return await finish()
    }
    const callIds = turn.steps.flat().map(({ id }) => id)
    return { ...resultOf([], model.asked.flat(), ''), paused: { callIds, resume } }
  }

  end(): void {
    this.#words.end()
    void this.#query.return(undefined)
  }

  async #listen(): Promise<void> {
    for await (const message of this.#query)
      if (message.type === 'result')
        this.#ended.resolve(message.subtype === 'success' ? message.result : message.subtype)
  }

  /** The hooks that `claudeOptions` makes, with its deadlines and its word on failure; the functions are those of the turn. */
  #hooks(): Hooks {
    const { hooks } = claudeOptions(testGate().as({ user: 'nobody' }))
    return Object.fromEntries(
      Object.entries(hooks).map(([event, matchers]) => [
        event,
        matchers.map((matcher) => ({
          ...matcher,
          hooks: [
            async (
              input: { readonly hook_event_name: string },
              id: string | undefined,
              more: { signal: AbortSignal },
            ) => {
              const { guarded } = this.#playing ?? {}
              if (guarded !== undefined)
                return (await guarded.hooks[event as keyof Guarded['hooks']].at(0)?.hooks[0]?.(input, id, more)) ?? {}
              return {
                hookSpecificOutput: { hookEventName: 'PreToolUse' as const, permissionDecision: 'allow' as const },
              }
            },
          ],
        })),
      ]),
    ) as Hooks
  }
}

/** What the person says in the chat, a turn at a time. */
class Words implements AsyncIterable<SDKUserMessage> {
  readonly #waiting: string[] = []
  #wake: () => void = () => undefined
  #isOver = false

  say(text: string): void {
    this.#waiting.push(text)
    this.#wake()
  }

  end(): void {
    this.#isOver = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SDKUserMessage, void> {
    while (!this.#isOver) {
      const content = this.#waiting.shift()
      if (content !== undefined) yield { type: 'user', message: { role: 'user', content }, parent_tool_use_id: null }
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}

function play(turn: Turn): Played {
  const person = new Person()
  const own = hostTools(turn.tools)
  if (turn.bare === true) return { guarded: undefined, tools: own, person }
  const tools = guardTools(own, turn.gate, { server: SERVER })
  return {
    guarded: claudeOptions(turn.gate, { ask: async () => ((await person.ask()).approved ? 'approved' : 'declined') }),
    tools,
    person,
  }
}

/** Read-only, as far as they say, so that the host runs the calls of a step side by side. */
function hostTools(tools: Turn['tools']) {
  return Object.entries(tools).map(([name, scripted]) =>
    tool(name, name, (scripted.input as z.ZodObject).shape, handlerOf(scripted), {
      annotations: { readOnlyHint: true },
      alwaysLoad: true,
    }),
  )
}

function handlerOf({ run, stream, toModel }: ScriptedTool) {
  return async (input: unknown, extra: unknown) => {
    let result: unknown
    if (stream === undefined)
      result = await run?.(input as never, { signal: (extra as { signal?: AbortSignal }).signal })
    else for await (const part of stream(input as never)) result = part
    const text = toModel?.(result as never) ?? (typeof result === 'string' ? result : JSON.stringify(result))
    return { content: [{ type: 'text' as const, text }] }
  }
}

/** @param of the turn: the host takes an id that it has seen for the call that it has seen */
function said(step: Turn['steps'][number], of = ''): readonly Block[] {
  return step.map(({ tool: name, input, id }) => ({
    type: 'tool_use',
    id: `${id}${of}`,
    name: `mcp__${SERVER}__${name}`,
    input,
  }))
}

function resultOf(messages: readonly Message[], prompts: readonly Message[], text: string): TurnResult {
  const saw = toldIn(messages).map((told) => ({ ...told, callId: told.callId.replace(/:\d+$/, '') }))
  return { saw, prompts: JSON.stringify(prompts), said: text, shown: [] }
}

/** Where this turn began: what was said in others is none of its. */
function lastWith(messages: readonly Message[], marker: string): number {
  return messages.findLastIndex(({ role, content }) => role === 'user' && textOf(content).split('\n').includes(marker))
}

/** A tool with everything odd about it. */
function identityLost(gate: Gate): readonly string[] {
  const mark = Symbol('mark')
  class Base {
    get title() {
      return 'Odd'
    }
    readonly kept = this
  }
  const odd = Object.assign(new Base(), {
    name: 'odd',
    description: 'odd',
    inputSchema: {},
    annotations: { readOnlyHint: true },
    _meta: { 'anthropic/alwaysLoad': true },
    handler: async () => ({ content: [] }),
    [mark]: 1,
  })
  Object.defineProperty(odd, 'hidden', { value: 1 })
  Object.defineProperty(odd, 'lazy', { get: () => 'worked out late', enumerable: true })
  const [kept] = guardTools([odd], gate, { server: SERVER })
  const names = ['name', 'description', 'title', 'inputSchema', 'annotations', '_meta', 'hidden', 'lazy', mark] as const
  return [
    ...names.filter((name) => Reflect.get(kept, name) !== Reflect.get(odd, name)).map(String),
    ...(Object.keys(kept).includes('hidden') ? ['hidden is hidden'] : []),
    ...(kept instanceof Base ? [] : ['prototype']),
    ...(Object.getOwnPropertyDescriptor(kept, 'lazy')?.get === undefined ? ['getter'] : []),
  ]
}
