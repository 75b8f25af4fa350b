/** The Claude Agent SDK's shapes, as far as the gate reads them: structural, so that its own types need not be installed. */

/** A tool of one's own, as the SDK's `tool()` makes it. */
export interface SdkTool {
  readonly name: string
  readonly description?: string
  /** A raw zod shape: a schema for each argument. */
  readonly inputSchema?: unknown
  readonly annotations?: unknown
  readonly handler: (args: never, extra: never) => unknown
}

/** What the SDK's MCP server takes for a tool's result. */
export interface HostResult {
  readonly content?: readonly unknown[]
  readonly isError?: boolean
}

/** Where a tool's MCP server comes from. `sdk`: one that this program registered; any other word: somebody's configuration. */
export interface HostServer {
  readonly name: string
  readonly source: string
}

/** What any hook is told. */
export interface HostEvent {
  readonly hook_event_name: string
  /** Of the subagent in which it happens. */
  readonly agent_id?: string
}

/** What a tool hook is told. UNTRUSTED: a model wrote the arguments; names of configured servers are text of others. */
export interface ToolEvent extends HostEvent {
  readonly tool_name: string
  readonly tool_input: unknown
  readonly tool_use_id: string
  readonly mcp_server?: HostServer
  /** Of `PostToolUse`. */
  readonly tool_response?: unknown
  /** Of `PostToolUseFailure`. */
  readonly error?: unknown
  readonly is_interrupt?: boolean
}

/** Is this what a tool hook is told? A host of another version may say less. */
export function isToolEvent(event: HostEvent): event is ToolEvent {
  const { tool_name, tool_use_id, mcp_server } = event as Partial<ToolEvent>
  if (typeof tool_name !== 'string' || typeof tool_use_id !== 'string' || tool_use_id === '') return false
  return mcp_server === undefined || (typeof mcp_server.name === 'string' && typeof mcp_server.source === 'string')
}

/** What a hook answers. Mutable, as the SDK's own type is. */
export interface HookAnswer {
  systemMessage?: string
  hookSpecificOutput?:
    | {
        hookEventName: 'PreToolUse'
        permissionDecision?: 'allow' | 'deny' | 'ask' | 'defer'
        permissionDecisionReason?: string
        updatedInput?: Record<string, unknown>
      }
    | { hookEventName: 'PostToolUse'; additionalContext: string }
    | { hookEventName: 'PostToolUseFailure'; additionalContext: string }
}

/** What the model has to know beside the result of a tool that the host ran. */
export function beside({ hook_event_name: event }: HostEvent, note: string | undefined): HookAnswer {
  if (note === undefined || (event !== 'PostToolUse' && event !== 'PostToolUseFailure')) return {}
  return { hookSpecificOutput: { hookEventName: event, additionalContext: note } }
}

/** A hook of ours. */
export type Hook = (
  input: HostEvent,
  toolUseId: string | undefined,
  options: { signal: AbortSignal },
) => Promise<HookAnswer>

/** Hooks with what becomes of their failure. Mutable, as the SDK's own type is. */
export interface HookMatcher<H = Hook> {
  matcher?: string
  hooks: H[]
  /** Seconds. */
  timeout?: number
  onFailure?: 'continue' | 'block'
}

/** The host's answer to a permission question. */
export type Permission =
  | { behavior: 'allow'; updatedInput?: Record<string, unknown> }
  | { behavior: 'deny'; message: string; interrupt?: boolean }

/** What the host says beside a permission question. */
export interface PermissionQuestion {
  readonly signal: AbortSignal
  readonly toolUseID: string
  readonly mcpServer?: HostServer
  readonly agentID?: string
}

/** Ours. */
export type CanUseTool = (
  toolName: string,
  input: Record<string, unknown>,
  options: PermissionQuestion,
) => Promise<Permission | null>

/** A hook of the app's: whatever it takes and answers. */
export type OwnHook = (input: never, toolUseId: string | undefined, options: { signal: AbortSignal }) => Promise<object>

/** The app's own callback. */
export type OwnCanUseTool = (
  toolName: string,
  input: Record<string, unknown>,
  options: never,
) => Promise<Permission | null>
