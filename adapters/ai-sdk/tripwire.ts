import type { Gate } from '../../src/index.ts'

/** What the host tells a listener of a tool that has run: what the events of both majors have in common. */
export interface HostRunEvent {
  readonly toolCall: { readonly toolName: string; readonly toolCallId: string }
  /** The very history that `execute` was given; empty where the app keeps inputs out of its telemetry. */
  readonly messages: readonly object[]
}

/** A telemetry integration for either major. */
export interface Tripwire {
  /** Major 7. */
  readonly onToolExecutionEnd: (event: HostRunEvent) => void
  /** Major 6. */
  readonly onToolCallFinish: (event: HostRunEvent) => void
}

/** Calls without their history that are remembered: what a host reports late is looked for among them. */
const MOST_ASKED = 10_000

/** Calls of tools that came out of `guardTools`, by the history that they came with: hosts and providers reuse call ids. */
const asked = new WeakMap<object, Set<string>>()
/** The same for apps that keep inputs out of their telemetry. Oldest first. */
const askedById = new Set<string>()

/** The host called the wrapped `execute`: whatever becomes of the call, its gate was asked. */
export function noteAsked(tool: string, callId: string, messages: readonly object[] | undefined): void {
  const key = keyOf(tool, callId)
  askedById.delete(key)
  askedById.add(key)
  for (const oldest of askedById) {
    if (askedById.size <= MOST_ASKED) break
    askedById.delete(oldest)
  }
  if (messages === undefined) return
  const known = asked.get(messages)
  if (known === undefined) asked.set(messages, new Set([key]))
  else known.add(key)
}

/**
 * Hears of every tool that the AI SDK runs in this process, and warns of one that no gate was asked about: a set of tools that was
 * not passed to `guardTools`, or a tool beside the guarded ones. It prevents nothing; it finds the door that was left open.
 *
 * @returns a telemetry integration, to be registered once: `registerTelemetry(createTripwire(gate))` on major 7,
 * `registerTelemetryIntegration(createTripwire(gate))` on major 6. A call that names `integrations` of its own has to name it too.
 * @example
 * registerTelemetry(createTripwire(gate))
 */
export function createTripwire(gate: Gate): Tripwire {
  const report = (event: HostRunEvent) => {
    const { toolName, toolCallId } = event.toolCall
    if (!wasAsked(event)) gate.reportRun('ai-sdk', { tool: toolName, callId: toolCallId })
  }
  return { onToolExecutionEnd: report, onToolCallFinish: report }
}

function wasAsked({ toolCall, messages }: HostRunEvent): boolean {
  const key = keyOf(toolCall.toolName, toolCall.toolCallId)
  return messages.length === 0 ? askedById.has(key) : asked.get(messages)?.has(key) === true
}

function keyOf(tool: string, callId: string): string {
  return JSON.stringify([tool, callId])
}
