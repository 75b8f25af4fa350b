// ASCII only: look-alikes, zero-width characters and blanks cannot make a second name for one tool.
const SERVER = /^[a-z0-9][a-z0-9-]{0,31}$/
const TOOL = /^[A-Za-z0-9_.\-/]{1,128}$/

/** Our own name of the server of in-process tools when nobody gave one. */
export const DEFAULT_SERVER = 'local'

/** What a server's name is made of, for messages. */
export const SERVER_RULE = 'lower-case letters, digits and hyphens, at most 32'

/** May this be our own name of a server? */
export function isServerName(name: unknown): name is string {
  return typeof name === 'string' && SERVER.test(name)
}

/** May this be a tool's name at its server? UNTRUSTED: a model or a third party chose it. */
export function isToolName(name: unknown): name is string {
  return typeof name === 'string' && TOOL.test(name)
}

/** Is this `server/tool`? What follows the first slash is the tool, and may hold more of them. */
export function isToolId(name: string): boolean {
  const slash = name.indexOf('/')
  return slash > 0 && isServerName(name.slice(0, slash)) && isToolName(name.slice(slash + 1))
}

/** Is this a tool as an operator writes it, with or without its server in front? */
export function isWrittenTool(name: string): boolean {
  return isToolName(name) || isToolId(name)
}

/** Is this the tools of a policy point: one (`shop/refund`), those of a server (`shop/*`), or all (`*`)? */
export function isToolPattern(pattern: unknown): pattern is string {
  if (typeof pattern !== 'string') return false
  if (pattern === '*') return true
  return pattern.endsWith('/*') ? isServerName(pattern.slice(0, -2)) : isToolId(pattern)
}
