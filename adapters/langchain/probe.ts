import { ToolMessage } from '@langchain/core/messages'
import { HoldpointError } from '../../src/index.ts'
import type { HostToolCall } from './host.ts'

/** What no tool is called: a host that looks for it among its own finds nothing to run. */
const NAME = '(does the host run what a middleware gives it?)'

/**
 * Asks the host, before any tool runs, whether it runs the tool that a middleware gives it. Old releases of `langchain` look for it
 * by its name instead, and would run it past the gate.
 *
 * INVARIANT I4: whatever else becomes of the question, an error of a middleware further inside too, is a no.
 *
 * @throws HoldpointError ERR_HOST
 */
export async function probe<R extends { readonly toolCall: HostToolCall }>(
  request: R,
  handler: (request: R) => unknown,
): Promise<void> {
  let isRun = false
  const tool = {
    name: NAME,
    description: NAME,
    schema: { type: 'object', properties: {} },
    invoke: async () => {
      isRun = true
      return new ToolMessage({ name: NAME, content: '', tool_call_id: NAME })
    },
  }
  const toolCall = { ...request.toolCall, name: NAME, id: NAME, args: {} }
  let because = 'another tool was looked for in its place'
  try {
    await handler({ ...request, tool, toolCall })
  } catch (cause) {
    because = cause instanceof Error ? cause.message : 'something was thrown'
  }
  if (isRun) return
  throw new HoldpointError(
    'ERR_HOST',
    `Nothing ran: this agent does not run the tool that holdpointMiddleware gives it (${because}), so calls would pass by the gate. Is "langchain" older than 1.5.14? Then install it: npm install langchain@^1.5.14. Is there a middleware behind holdpointMiddleware that answers calls by itself? Put holdpointMiddleware last. guardTools(tools, gate) holds in any case.`,
    { at: 'langchain' },
  )
}
