/**
 * The Agents SDK as this adapter sees it, structurally: no published type of ours depends on the host's, and nothing of the host is
 * loaded.
 */

/** A tool of an agent, of whatever type. */
export interface HostTool {
  /** `function`, `shell`, `apply_patch`, `computer` or `hosted_tool`. */
  readonly type?: unknown
  readonly name?: unknown
  readonly description?: unknown
  /** JSON Schema of what the model says; the tool itself may read it with a schema of its own. */
  readonly parameters?: unknown
  readonly outputSchema?: unknown
  readonly invoke?: unknown
  readonly needsApproval?: unknown
  readonly outputGuardrails?: unknown
  readonly inputGuardrails?: unknown
  readonly customDataExtractor?: unknown
  readonly environment?: unknown
  readonly shell?: unknown
  readonly editor?: unknown
  readonly computer?: unknown
  readonly providerData?: unknown
  /** `Agent.asTool` alone makes tools that one can listen to. */
  readonly on?: unknown
}

/** What the host hands around during a run. Only passed on. */
export type HostRunContext = object

/** A call as the model made it. UNTRUSTED. */
export interface HostToolCall {
  readonly callId?: unknown
  readonly name?: unknown
  /** JSON text, never read by this adapter: the gate reads it strictly. */
  readonly arguments?: unknown
  readonly action?: unknown
  readonly actions?: unknown
  readonly operation?: unknown
}

/** Third argument of a function tool's `invoke`. Carries hidden members of the host, so it is passed on as it is. */
export interface HostDetails {
  readonly toolCall?: HostToolCall
  /** The saved run of an agent tool that had paused: this call takes it up again. */
  readonly resumeState?: string
  readonly signal?: AbortSignal
}

/** A function tool's innermost call. */
export type HostInvoke = (context: HostRunContext, input: string, details?: HostDetails) => unknown

/** Does the tool's author want a person's yes for this call? */
export type HostNeedsApproval = (context: HostRunContext, input: unknown, callId?: string) => unknown

/** An agent. */
export interface HostAgent {
  readonly name: string
  readonly tools: readonly object[]
  readonly handoffs: readonly object[]
  readonly mcpServers: readonly object[]
  readonly model?: unknown
  readonly asTool: (options: object) => object
  readonly emit: (event: string, ...details: readonly unknown[]) => boolean
}

/** A member of a value that may be anything: own and inherited ones. */
export function member(value: unknown, name: PropertyKey): unknown {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? Reflect.get(value, name)
    : undefined
}

/** The host's own way to tell namespaces apart is a member that only a symbol names. */
export function hiddenMember(value: object, description: string): PropertyKey | undefined {
  return Object.getOwnPropertySymbols(value).find((symbol) => symbol.description === description)
}

/** Is this an agent, whatever copy of the SDK made it? */
export function isAgent(value: object): value is HostAgent {
  return (
    typeof member(value, 'asTool') === 'function' &&
    typeof member(value, 'emit') === 'function' &&
    Array.isArray(member(value, 'tools')) &&
    Array.isArray(member(value, 'handoffs')) &&
    Array.isArray(member(value, 'mcpServers'))
  )
}
