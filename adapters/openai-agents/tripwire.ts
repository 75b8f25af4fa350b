import type { Gate } from '../../src/index.ts'
import { nameOf } from './definition.ts'
import { type HostTool, member } from './host.ts'
import { isGuardrailOfOurs } from './mcp-server.ts'
import { callIdOf } from './passage.ts'
import { isRemembered } from './remembered.ts'

/** What the host tells of a tool that has run. */
export type HostToolEnd = (
  context: unknown,
  agent: unknown,
  tool: object,
  result: string,
  details: { readonly toolCall: object },
) => void

/**
 * Hears of every tool that a runner runs, and warns of one that no gate was asked about: a tool added after `guardTools`, an agent
 * that did not go through `guardAgent`. It prevents nothing; it finds the door that was left open.
 *
 * @returns a listener for `agent_tool_end` of a `Runner`, to be added once. Agents that run as tools have a runner of their own: those
 * of `guardAgent` listen for themselves.
 * @example
 * runner.on('agent_tool_end', createTripwire(gate))
 */
export function createTripwire(gate: Gate): HostToolEnd {
  return (_context, _agent, tool, _result, { toolCall }) => reportRun(gate, tool, toolCall)
}

/** Says so to the gate, where the tool is none of ours. */
export function reportRun(gate: Gate, tool: HostTool, toolCall: unknown): void {
  if (isRemembered(tool) || isOfGuardedServer(tool)) return
  gate.reportRun('openai-agents', { tool: nameOf(tool) ?? '', callId: callIdOf(toolCall) ?? '' })
}

/** The host makes the tools of a server anew for every turn. What it takes over from the server is its guardrails. */
function isOfGuardedServer(tool: HostTool): boolean {
  const guardrails = member(tool, 'inputGuardrails')
  return Array.isArray(guardrails) && guardrails.some(isGuardrailOfOurs)
}
