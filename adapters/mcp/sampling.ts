import type { ToolDefinition } from '../../src/index.ts'
import { isObject, type Message, objectIn, twinOf } from './message.ts'

const METHOD = 'sampling/createMessage'

/**
 * A server that samples with tools drives a tool loop of its own through the client's model (MCP 2025-11-25, sampling): no
 * `tools/call` passes by. Such a request is a call of its own, under this name among the server's tools.
 */
export const SAMPLING: ToolDefinition = {
  name: METHOD,
  title: 'Sample with tools',
  description: "Runs the client's model on the server's messages and lets it call the server's own tools.",
  origin: 'own',
}

/** Would this request of a server's let the client's model call tools? A client that does not look at case sees `Tools` too. */
export function samplesWithTools(method: unknown, params: Message): boolean {
  if (method !== METHOD) return false
  return params['tools'] !== undefined || twinOf(params, ['tools']) !== undefined
}

/** The same among what a result asks for (MCP 2026-07-28, multi-round-trip requests): the params of each such request. */
export function samplingIn(result: Message): readonly Message[] {
  return Object.values(objectIn(result, 'inputRequests')).flatMap((asked) => {
    if (!isObject(asked)) return []
    const params = objectIn(asked, 'params')
    return samplesWithTools(asked['method'], params) ? [params] : []
  })
}
