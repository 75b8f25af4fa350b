import { type HostRunContext, type HostTool, member } from './host.ts'

/** Does the tool's author want a person's yes for this call, whatever the policies say? */
export async function authorAsks(
  tool: HostTool,
  context: HostRunContext | undefined,
  input: unknown,
  callId: string | undefined,
): Promise<boolean> {
  const { needsApproval } = tool
  // Whatever the host would take for a yes to asking.
  if (typeof needsApproval !== 'function') return Boolean(needsApproval)
  return Boolean(await needsApproval.call(tool, context, input, callId))
}

/** Has the host's own question been answered with a yes? UNTRUSTED: a saved run says so. */
export function saysApproved(context: HostRunContext | undefined, toolName: string, callId: string): boolean {
  const isToolApproved = member(context, 'isToolApproved')
  return typeof isToolApproved === 'function' && isToolApproved.call(context, { toolName, callId }) === true
}

/** Arguments as the host reads them for the author's hook, with `JSON.parse`: nothing is decided or run on it. */
export function readLoosely(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}
