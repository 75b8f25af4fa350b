import { member } from '../shared/declared.ts'

/** Mastra as this adapter sees it, structurally: no published type depends on it. */

/** A tool: Mastra's own, or one of the AI SDK. */
export interface HostTool {
  readonly id?: unknown
  readonly type?: unknown
  readonly title?: unknown
  readonly description?: unknown
  readonly inputSchema?: unknown
  readonly parameters?: unknown
  readonly outputSchema?: unknown
  readonly metadata?: unknown
  readonly mcp?: unknown
  readonly mcpMetadata?: unknown
  readonly execute?: unknown
  readonly toModelOutput?: unknown
}

/** A tool's `execute`. `context` is one of Mastra's, or what the AI SDK passes. */
export type HostExecute = (input: unknown, context?: unknown) => unknown

/** Where one call comes from. */
export interface Origin {
  readonly kind: 'agent' | 'workflow' | 'program'
  /** The host's id of the call; of a workflow's run, where a step has none. */
  readonly callId: string | undefined
  /** The message count when the call was made. */
  readonly step: number | undefined
  readonly signal: AbortSignal | undefined
  /** Does the run go on after a suspension? */
  readonly isResumed: boolean
}

/** Reads what Mastra hands to a tool: nested for its own tools, flat for the AI SDK's and in hooks. */
export function originOf(context: unknown): Origin {
  const [agent, workflow] = [member(context, 'agent'), member(context, 'workflow')]
  const signal = member(context, 'abortSignal')
  const resumeData = [agent, workflow, context].map((each) => member(each, 'resumeData')).find((data) => data != null)
  const common = { signal: signal instanceof AbortSignal ? signal : undefined, isResumed: resumeData !== undefined }
  const toolCallId = text(member(agent, 'toolCallId')) ?? text(member(context, 'toolCallId'))
  if (toolCallId !== undefined || agent !== undefined) {
    const messages = member(agent, 'messages') ?? member(context, 'messages')
    return { ...common, kind: 'agent', callId: toolCallId, step: Array.isArray(messages) ? messages.length : undefined }
  }
  const runId = text(member(workflow, 'runId'))
  if (workflow !== undefined) return { ...common, kind: 'workflow', callId: runId, step: undefined }
  return { ...common, kind: 'program', callId: undefined, step: undefined }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
