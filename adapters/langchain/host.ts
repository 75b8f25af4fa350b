import type { Json } from '../../src/index.ts'

/**
 * LangChain and LangGraph as this adapter sees them, structurally: a user of `@langchain/core` and a graph of their own needs no
 * `langchain`, and no published type depends on it.
 */

/** A tool: `_call` makes it structured, `bound` a runnable that was turned into one; a plain object runs at the provider. */
export interface HostTool {
  readonly name?: unknown
  readonly type?: unknown
  readonly description?: unknown
  readonly schema?: unknown
  readonly metadata?: unknown
  readonly responseFormat?: unknown
  readonly _call?: unknown
  readonly func?: unknown
  readonly invoke?: unknown
  readonly bound?: unknown
}

/** A tool call of an `AIMessage`. UNTRUSTED: a model wrote it. */
export interface HostToolCall {
  readonly name: string
  readonly args: unknown
  readonly id?: string | undefined
}

/** What the host hands to a tool beside its arguments. */
export interface HostConfig {
  readonly toolCall?: HostToolCall
  readonly signal?: AbortSignal
  /** The state of the graph that the call runs in. */
  readonly state?: unknown
  readonly configurable?: Readonly<Record<string, unknown>>
  /** LangGraph's own: throws where nobody has answered yet, and gives the answer where the graph resumes. */
  readonly interrupt?: unknown
}

/** The host's tracing of one tool run; previews go through it. */
export interface HostRunManager {
  handleToolEvent?(event: unknown): unknown
  handleToolError?(error: unknown): unknown
}

/** A structured tool's innermost execution. */
export type HostCall = (arg: unknown, runManager: HostRunManager | undefined, config: HostConfig | undefined) => unknown

/** LangGraph's control flow travels as errors: an interrupt, a command to the parent graph, a drain. */
export function isBubbleUp(error: unknown): boolean {
  return typeof error === 'object' && error !== null && Reflect.get(error, 'is_bubble_up') === true
}

/** Arguments as the gate takes them; LangChain's oldest tools take one text, or none. */
export function argumentsOf(arg: unknown): unknown {
  if (typeof arg === 'string') return { input: arg }
  return arg ?? {}
}

/** What the tool gets of the decided arguments: the form in which the host had them. */
export function asHostArgument(decided: Json, arg: unknown): unknown {
  if (typeof arg === 'string') return Reflect.get(Object(decided), 'input')
  return arg === undefined || arg === null ? arg : decided
}
