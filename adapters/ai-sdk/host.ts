/**
 * The AI SDK as this adapter sees it: what majors 6 and 7 have in common, structurally, so that one code serves both and no
 * published type depends on either.
 */

/** A tool of a `ToolSet`. */
export interface HostTool {
  readonly type?: unknown
  readonly description?: unknown
  readonly title?: unknown
  readonly inputSchema?: unknown
  readonly outputSchema?: unknown
  readonly metadata?: unknown
  /** Where `@ai-sdk/mcp` keeps the server's own `_meta`. UNTRUSTED. */
  readonly _meta?: unknown
  readonly needsApproval?: unknown
  readonly execute?: unknown
  readonly toModelOutput?: unknown
  readonly onInputAvailable?: unknown
  /** Code mode: builds the tool that calls the others. Not enumerable. */
  readonly experimental_toolCaller?: unknown
}

/** A message of the history, of which only approval parts are read. UNTRUSTED: it comes from the client. */
export type HostMessage = object

/** One call as the host hands it to the hook or to `execute`. */
export interface HostCall {
  readonly callId: string
  readonly input: unknown
  readonly messages: readonly HostMessage[]
  /** The app's own context of the tool, for its author's `needsApproval`, named as the host's major names it. */
  readonly context: { readonly context?: unknown; readonly experimental_context?: unknown }
}

/** Second argument of a tool's `execute`. Major 6 has `experimental_context`, major 7 `context`. */
export interface HostExecuteOptions {
  readonly toolCallId: string
  readonly messages: readonly HostMessage[]
  readonly abortSignal?: AbortSignal | undefined
}

/** What major 7 asks its approval hook. */
export interface HostApprovalQuestion {
  readonly toolCall: {
    readonly toolName: string
    readonly toolCallId: string
    readonly input: unknown
    readonly providerExecuted?: boolean | undefined
  }
  readonly tools?: object | undefined
  readonly toolsContext?: unknown
  readonly messages: readonly HostMessage[]
}

/** What the hook may answer; `undefined` lets the call go on to `execute`. */
export type HostApprovalStatus =
  | { readonly type: 'denied'; readonly reason: string }
  | { readonly type: 'user-approval'; readonly reason?: string }
  | undefined

/** What a tool's `toModelOutput` gets. */
export interface HostModelOutputQuestion {
  readonly toolCallId: string
  readonly input: unknown
  readonly output: unknown
}

/** Major 6 alone passes `experimental_context`. */
export function isMajor6(options: object): boolean {
  return 'experimental_context' in options
}

/** A tool by the name that a model chose: own members only. */
export function toolNamed(tools: object | undefined, name: string): HostTool | undefined {
  if (tools === undefined || !Object.hasOwn(tools, name)) return undefined
  const tool: unknown = Reflect.get(tools, name)
  return typeof tool === 'object' && tool !== null ? tool : undefined
}
