import type { ApprovalRecord, Gate } from '../../src/index.ts'
import type { HoldpointData } from '../shared/part.ts'
import type { CanUseTool, Hook, HookMatcher, OwnCanUseTool, OwnHook } from './host.ts'
import { Passage } from './passage.ts'

/** What a person is asked. */
export interface PersonQuestion {
  /** The gate's own record: what would run, why they are asked, and in `question` the whole of it as text. */
  readonly request: ApprovalRecord
  readonly toolName: string
  /** Of the subagent that wants to call it. */
  readonly agentId?: string
}

/** What `claudeOptions` may be told. */
export interface ClaudeOptions {
  /** What the host's own tools belong to in policies. Default `claude-code`. */
  readonly server?: string
  /** Our own names of configured MCP servers, by `source:name`, as `{ 'project:github': 'github' }`. */
  readonly servers?: Readonly<Record<string, string>>
  /**
   * A permitted call: `allow` (default) runs it without another question; `leave` lets the host's own permission rules have the last
   * word.
   */
  readonly onPermit?: 'allow' | 'leave'
  /**
   * A call that needs a person's yes: `refuse` (default), with a reference, and the identical call passes once somebody said yes;
   * `ask` (default where there is an `ask`), now; `defer`, the query ends, and is resumed when there is an answer.
   */
  readonly onApproval?: 'refuse' | 'ask' | 'defer'
  /** Asks the person of this view (`channel: 'chat'`), who is signed in with you, for their own yes. Throwing is a no. */
  readonly ask?: (
    question: PersonQuestion,
    options: { readonly signal: AbortSignal },
  ) => Promise<'approved' | 'declined'>
  /** Your own callback, for what the host itself asks about a call that the gate permits. Without it the answer is no. */
  readonly canUseTool?: OwnCanUseTool
  /** Your own hooks. They are kept beside the gate's. */
  readonly hooks?: { readonly [event: string]: readonly HookMatcher<OwnHook>[] | undefined }
  /** Told of each call with its receipts: when it was refused, or has ended. */
  readonly onCall?: (call: HoldpointData) => void
  /** The longest that one decision may take, a person at `holdpoint watch` included, seconds. Default 60. */
  readonly timeout?: number
  /** What a medium or high call does while no policy answers. `hold` waits for the policy point to heal. Default `refuse`. */
  readonly onSilence?: 'refuse' | 'hold'
  /** The longest that a held call waits, ms. What does not fit into `timeout` is refused. */
  readonly holdMs?: number
}

/** Spread it into the options of `query`. */
export interface GuardedOptions {
  hooks: Record<'PreToolUse' | 'PostToolUse' | 'PostToolUseFailure' | 'Stop' | 'SubagentStop', HookMatcher[]>
  canUseTool: CanUseTool
}

const DEFAULT_TIMEOUT_S = 60

/**
 * The gate as options of a query: every tool that it calls, its own and its subagents', passes the gate first.
 *
 * @example
 * query({ prompt, options: { ...claudeOptions(me), mcpServers: { shop } } })
 */
export function claudeOptions(gate: Gate, options: ClaudeOptions = {}): GuardedOptions {
  const timeout = options.timeout ?? DEFAULT_TIMEOUT_S
  const passage = new Passage(gate, options, timeout)
  const own = new Map(Object.entries(options.hooks ?? {}))
  // The host gives the app's own hooks what they take; to the gate they are functions.
  const beside = (event: string): HookMatcher[] => [...((own.get(event) ?? []) as readonly object[] as HookMatcher[])]
  const after: Hook = (event) => passage.after(event)
  const over: Hook = (event) => passage.over(event)
  // A hook that fails, or answers what the host cannot read, must not let the tool run: the host's own default would.
  const before: HookMatcher = {
    hooks: [(event, _id, { signal }) => passage.before(event, signal)],
    timeout,
    onFailure: 'block',
  }
  return {
    hooks: {
      ...Object.fromEntries([...own.keys()].map((event) => [event, beside(event)])),
      PreToolUse: [...beside('PreToolUse'), before],
      PostToolUse: [{ hooks: [after], timeout }, ...beside('PostToolUse')],
      PostToolUseFailure: [{ hooks: [after], timeout }, ...beside('PostToolUseFailure')],
      Stop: [{ hooks: [over], timeout }, ...beside('Stop')],
      SubagentStop: [{ hooks: [over], timeout }, ...beside('SubagentStop')],
    },
    canUseTool: (tool, input, question) => passage.permission(tool, input, question),
  }
}
