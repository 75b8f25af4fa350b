import { ToolMessage } from '@langchain/core/messages'
import { type Gate, HoldpointError } from '../../src/index.ts'
import { cross } from '../shared/cross.ts'
import { member } from '../shared/declared.ts'
import { journalOf } from '../shared/journal.ts'
import { warnOnce } from '../shared/warnings.ts'
import { isGateable } from './gated-tool.ts'
import { coverTools, ELSEWHERE, type GuardOptions, guardOne, isGuarded, surroundings } from './guard-tools.ts'
import { argumentsOf, asHostArgument, type HostTool, type HostToolCall, isBubbleUp } from './host.ts'
import { isToolMessage, refusalMessage, withData, withNote } from './message.ts'
import { probe } from './probe.ts'
import { messagesOf } from './task.ts'

/** What `holdpointMiddleware` may be told. */
export interface MiddlewareOptions extends GuardOptions {
  /**
   * What becomes of an error that a tool throws. `message`, the default: what the host shows the model without any middleware.
   * `throw`: other middleware of yours sees it (`toolErrorMiddleware`), and it ends the run unless one of them catches it.
   */
  readonly toolErrors?: 'message' | 'throw'
}

/** One call as the host hands it to `wrapToolCall`. */
export interface HostToolRequest {
  readonly toolCall: HostToolCall
  readonly tool: unknown
  readonly state: unknown
  readonly runtime: unknown
}

/** One turn of the model as the host hands it to `wrapModelCall`. */
export interface HostModelRequest {
  readonly tools?: readonly unknown[]
}

/** A middleware for `createAgent`. */
export interface HoldpointMiddleware {
  readonly name: 'holdpoint'
  wrapToolCall<R extends HostToolRequest, T>(request: R, handler: (request: R) => T | PromiseLike<T>): Promise<T>
  wrapModelCall<R extends HostModelRequest, T>(request: R, handler: (request: R) => T | PromiseLike<T>): Promise<T>
}

/**
 * A gate for an agent: every tool that the agent runs is guarded as by `guardTools`, tools of other middleware and of MCP clients
 * too. Put it last in the list: then it stands next to the tool.
 *
 * @throws in the run, as the cause of the host's MiddlewareError: HoldpointError ERR_UNGATED, ERR_TOOL as `guardTools`; ERR_HOST for
 * a release that runs other tools than a middleware gives it
 * @example
 * const agent = createAgent({ model, tools, checkpointer, middleware: [holdpointMiddleware(me)] })
 */
export function holdpointMiddleware(gate: Gate, options: MiddlewareOptions = {}): HoldpointMiddleware {
  const guard = new Guard(gate, options)
  const middleware: HoldpointMiddleware = {
    name: 'holdpoint',
    wrapToolCall: async (request, handler) => {
      const { tool } = request
      try {
        if (!isHostTool(tool))
          return (await guard.crossStranger(request, handler)) as Awaited<ReturnType<typeof handler>>
        const guarded = guard.toolFor(tool)
        if (guarded !== tool) await guard.checkHost(request, handler)
        return await handler({ ...request, tool: guarded })
      } catch (error) {
        return asMessage(error, request, options.toolErrors ?? 'message') as Awaited<ReturnType<typeof handler>>
      }
    },
    wrapModelCall: async (request, handler) => {
      guard.meet(request.tools ?? [])
      const answer = await handler(request)
      await guard.markProvidersCalls(answer)
      return answer
    },
  }
  // The mark of what the host's `createMiddleware` makes.
  return Object.assign(middleware, { [Symbol.for('AgentMiddleware')]: true })
}

/** The tools of one agent, as it shows them. */
class Guard {
  readonly #gate: Gate
  readonly #options: MiddlewareOptions
  readonly #known = new WeakMap<object, object>()
  #probed: Promise<void> | undefined

  constructor(gate: Gate, options: MiddlewareOptions) {
    this.#gate = gate
    this.#options = options
  }

  /** Once for each middleware: what has built one agent may build the next. @throws HoldpointError ERR_HOST */
  async checkHost<R extends HostToolRequest>(request: R, handler: (request: R) => unknown): Promise<void> {
    this.#probed ??= probe(request, handler)
    await this.#probed
  }

  /** Every tool that the model is about to be told of. */
  meet(tools: readonly unknown[]): void {
    const fresh = tools.filter(isObject).filter((tool) => !this.#known.has(tool) && !isGuarded(tool))
    coverTools(fresh, this.#gate, this.#options)
    for (const tool of fresh) this.#known.set(tool, isGateable(tool) ? this.#guard(tool) : tool)
  }

  /** The tool behind the gate. One that the model was never told of is met here. */
  toolFor(tool: object): object {
    if (isGuarded(tool)) return tool
    if (!this.#known.has(tool)) this.meet([tool])
    return this.#known.get(tool) ?? this.#guard(tool)
  }

  /**
   * A call of a tool that the agent does not have, or that another middleware would run behind this one.
   *
   * INVARIANT I4: what the gate does not know does not run. While it observes, the host says what it says without us.
   */
  async crossStranger<R extends HostToolRequest>(request: R, handler: (request: R) => unknown): Promise<unknown> {
    const { toolCall, state } = request
    const { name, id, args } = toolCall
    const { server } = this.#options
    const step = messagesOf({ state })?.length
    warnOnce(
      this.#gate,
      this,
      'stray_tool',
      `The model called "${name}", which is no tool of this agent. Where another middleware brings the tool, put holdpointMiddleware behind it in the list.`,
    )
    const crossed = await cross({
      gate: this.#gate,
      call: {
        tool: name,
        input: argumentsOf(args),
        // Registered by nobody: a tool of another agent that has this name is another tool.
        definition: { name, origin: 'third-party' },
        ...(id === undefined ? {} : { callId: id }),
        ...(step === undefined ? {} : { step }),
        ...(server === undefined ? {} : { server }),
      },
      execute: (decided) => handler({ ...request, toolCall: { ...toolCall, args: asHostArgument(decided, args) } }),
      failed: (result) => isToolMessage(result) && result.status === 'error',
    })
    if (crossed.outcome === 'refused') return refusalMessage(name, id, crossed.refusal, crossed.record)
    const output = withNote(crossed.result, crossed.note, id)
    return isToolMessage(output) ? withData(output, crossed.record) : output
  }

  /** What the provider ran while it answered: it has happened, and a receipt says that nobody could gate it. */
  async markProvidersCalls(answer: unknown): Promise<void> {
    const { server } = this.#options
    await Promise.all(
      providersCalls(answer).map(async ({ tool, callId }) => {
        const call = { tool, callId, ...(server === undefined ? {} : { server }) }
        const receipt = await this.#gate.markUngated(call, ELSEWHERE)
        journalOf(this.#gate).noteUngated(callId, tool, receipt)
      }),
    )
  }

  #guard(tool: HostTool): object {
    return guardOne(tool, surroundings(this.#gate, this.#options))
  }
}

/**
 * What the host makes of a tool's error where no middleware wraps its calls. With one, it would end the run instead. Its control
 * flow, an abort and arguments that miss the tool's schema are the host's own in both cases.
 */
function asMessage(error: unknown, { toolCall, runtime }: HostToolRequest, wanted: 'message' | 'throw'): ToolMessage {
  const signal: unknown = member(runtime, 'signal')
  const hasLeft = signal instanceof AbortSignal && signal.aborted
  const isHosts = isBubbleUp(error) || member(error, '~brand') === 'ToolInvocationError'
  if (wanted === 'throw' || hasLeft || isHosts || error instanceof HoldpointError) throw error
  return new ToolMessage({
    content: `${error}\n Please fix your mistakes.`,
    name: toolCall.name,
    tool_call_id: toolCall.id ?? '',
    status: 'error',
  })
}

/** The provider's own calls in an answer, in the host's standard blocks or in the provider's. UNTRUSTED: names and ids. */
function providersCalls(answer: unknown): readonly { readonly tool: string; readonly callId: string }[] {
  return blocksOf(answer).flatMap((block) => {
    const type = member(block, 'type')
    const [tool, callId] = [member(block, 'name'), member(block, 'id')]
    if (type !== 'server_tool_call' && type !== 'server_tool_use') return []
    return typeof tool === 'string' && typeof callId === 'string' ? [{ tool, callId }] : []
  })
}

function blocksOf(answer: unknown): readonly unknown[] {
  try {
    const blocks: unknown = Reflect.get(Object(answer), 'contentBlocks')
    return Array.isArray(blocks) ? blocks : []
  } catch {
    // Blocks that the host cannot translate are in `content` as the provider sent them.
    const content: unknown = Reflect.get(Object(answer), 'content')
    return Array.isArray(content) ? content : []
  }
}

function isObject(value: unknown): value is HostTool {
  return typeof value === 'object' && value !== null
}

/** A tool with code here. */
function isHostTool(tool: unknown): tool is HostTool {
  return isObject(tool) && isGateable(tool)
}
