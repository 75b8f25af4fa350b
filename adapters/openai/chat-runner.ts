import { type Gate, HoldpointError } from '../../src/index.ts'
import { methodOf } from '../shared/host-shape.ts'
import { type HostTool, type HostToolCall, member, textOf } from './host.ts'
import { isTakenUp, takeUnparsed } from './pending.ts'
import { gatedTools, HOST, PACKAGE } from './surroundings.ts'

/** What `client.chat.completions.runTools` gives back, with and without `stream`. */
export interface HostRunnerOfChat {
  readonly messages: readonly unknown[]
  on(event: 'message', listener: (message: never) => void): unknown
}

/** The request of one completion, as the runner makes it. */
interface Body {
  readonly tools?: unknown
  readonly tool_choice?: unknown
}

interface Client {
  readonly chat: { readonly completions: { create(body: Body, options?: unknown): unknown } }
}

/** Makes one completion: all that a runner does but running tools. */
type Complete = (client: Client, body: Body, options: unknown) => Promise<unknown>

const guarded = new WeakSet<object>()

export function isChatRunner(runner: object): runner is HostRunnerOfChat {
  return typeof member(runner, 'on') === 'function' && Array.isArray(member(runner, 'messages'))
}

/**
 * A runner of `runTools`, which has private members, in place. Arguments of strict functions it reads before it asks anybody, and it
 * ends over those that are no JSON. It is told that guarded ones are not strict, and the API that they are: their text comes before the
 * gate, which refuses it.
 *
 * @throws HoldpointError ERR_HOST, ERR_TOOL
 */
export function guardChatRunner(runner: HostRunnerOfChat, gate: Gate): void {
  if (guarded.has(runner))
    throw new HoldpointError(
      'ERR_TOOL',
      'This runner is guarded already. Pass what runTools gave back to guardRunner, once.',
    )
  const complete = methodOf(PACKAGE, runner, 'the runner of runTools', '_createChatCompletion') as Complete
  guarded.add(runner)
  const wire = new ChatTripwire(gate, runner)
  const value: Complete = async (client, body, options) => {
    const names = gatedTools(gate)
    const tools = Array.isArray(body.tools) ? (body.tools as readonly HostTool[]) : []
    wire.expect(tools, body.tool_choice)
    const lenient = tools.map((tool) => (isGated(tool, names) ? withoutStrict(tool) : tool))
    return await complete.call(
      runner,
      asking(client, tools),
      tools.length === 0 ? body : { ...body, tools: lenient },
      options,
    )
  }
  Object.defineProperty(runner, '_createChatCompletion', { value, configurable: true, writable: true })
  runner.on('message', (message) => wire.heard(message))
}

function isGated({ function: declared }: HostTool, names: ReadonlySet<string>): boolean {
  return names.has(textOf(declared, 'name') ?? '')
}

function withoutStrict(tool: HostTool): HostTool {
  return { ...tool, function: { ...Object(tool.function), strict: false } }
}

/** The client, whose requests say what the app said of its tools. */
function asking(client: Client, tools: readonly HostTool[]): Client {
  const { completions } = client.chat
  const create = (body: Body, options: unknown) =>
    completions.create(body.tools === undefined ? body : { ...body, tools }, options)
  const chat = Object.create(client.chat, {
    completions: { value: Object.create(completions, { create: { value: create } }) },
  })
  return Object.create(client, { chat: { value: chat } })
}

/** Hears which calls the runner has answered, and warns of those that a function carried out which nobody guarded. */
class ChatTripwire {
  readonly #gate: Gate
  readonly #runner: HostRunnerOfChat
  readonly #answered = new WeakSet<object>()
  /** Functions that the runner would run. */
  #names: ReadonlySet<string> = new Set()

  constructor(gate: Gate, runner: HostRunnerOfChat) {
    this.#gate = gate
    this.#runner = runner
  }

  expect(tools: readonly HostTool[], choice: unknown): void {
    const names = tools.flatMap((tool) => textOf(tool.function, 'name') ?? [])
    const only = textOf(member(choice, 'function'), 'name')
    this.#names = new Set(only === undefined ? names : [only])
  }

  heard(message: unknown): void {
    const callId = textOf(message, 'tool_call_id')
    if (callId === undefined) return
    const call = this.#callOf(callId)
    if (call === undefined) return
    this.#answered.add(call)
    const { name = '', arguments: text = '' } = call.function ?? {}
    // The runner runs nothing for a name that it has no function of, nor for what a tool's own parser refuses.
    if (isTakenUp(call) || !this.#names.has(name) || takeUnparsed(this.#gate, name, text)) return
    this.#gate.reportRun(HOST, { tool: name, callId })
  }

  #callOf(callId: string): HostToolCall | undefined {
    const asking = this.#runner.messages.findLast((message) => Array.isArray(member(message, 'tool_calls')))
    const calls = (member(asking, 'tool_calls') ?? []) as readonly HostToolCall[]
    return calls.find((call) => call.id === callId && !this.#answered.has(call))
  }
}
