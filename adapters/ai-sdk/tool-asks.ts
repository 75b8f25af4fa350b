import type { HostCall, HostTool } from './host.ts'

/**
 * Does the tool's author want a person's yes for this call, whatever the policies say? That is the tool's own `needsApproval`,
 * which our hook stands in front of.
 */
export async function toolAsks(tool: HostTool, call: HostCall): Promise<boolean> {
  const { needsApproval } = tool
  // Whatever the host would take for a yes to asking: authors who write plain JavaScript return what `match` returns.
  if (typeof needsApproval !== 'function') return Boolean(needsApproval)
  const { callId, input, messages, context } = call
  return Boolean(await needsApproval.call(tool, input, { ...context, toolCallId: callId, messages }))
}

/** What the host keeps for the tool's author, out of whatever it hands to `needsApproval` and `execute`. */
export function contextIn(options: object): HostCall['context'] {
  const names = ['context', 'experimental_context'] as const
  return Object.fromEntries(names.flatMap((name) => (name in options ? [[name, Reflect.get(options, name)]] : [])))
}

/** The same out of what major 7 asks its hook, where contexts stand by tool. */
export function contextOf(toolsContext: unknown, toolName: string): HostCall['context'] {
  const isListed = typeof toolsContext === 'object' && toolsContext !== null && Object.hasOwn(toolsContext, toolName)
  return { context: isListed ? Reflect.get(toolsContext, toolName) : undefined }
}
