import type { Gate } from '../../src/index.ts'
import { answerMcpWith } from '../shared/held-mcp.ts'
import { methodOf } from '../shared/host-shape.ts'
import { guardChatRunner, type HostRunnerOfChat, isChatRunner } from './chat-runner.ts'
import type { HostItem, HostTool } from './host.ts'
import { acceptHosted, acceptToolsets, refuseDecisions, type UngatedOption } from './hosted.ts'
import { type Client, watched } from './reading.ts'
import { PACKAGE } from './surroundings.ts'
import { type HostTurn, Tripwire } from './tripwire.ts'

/** `ResponsesToolRunner` of `openai/helpers/responses-tool-runner`. */
export interface HostRunnerOfResponses {
  iterate(client: never, params: never, options?: never): AsyncGenerator<unknown, void, unknown>
  run(client: never, params: never, options?: never): Promise<unknown>
}

interface RunnerOptions {
  readonly signal?: AbortSignal
  readonly approveMcp?: (request: HostItem) => unknown
}

/**
 * A runner with the gate beside it. The guarded functions are the enforcement; this answers for the runner where it would end its run
 * (arguments that are no JSON, and of the Responses runner an unknown tool or a call id given twice), and warns of functions that ran
 * unguarded. For the Responses runner it also tells the functions which call they carry out, decides held MCP calls, and marks what
 * OpenAI ran by itself.
 *
 * @param runner a `ResponsesToolRunner`, or what `runTools` has just given back: that one is changed in place
 * @returns the runner. `run` and `iterate` of a `ResponsesToolRunner` throw HoldpointError ERR_UNGATED for hosted tools that `ungated`
 * does not list
 * @throws HoldpointError ERR_HOST for what is no runner of this major; ERR_UNGATED for a browser or computer of its own, and for a
 * `DecisionsToolRunner`; ERR_TOOL for a runner of `runTools` that is guarded already
 * @example
 * const [order, refund] = guardTools([typedOrder, typedRefund], me)
 * const runner = guardRunner(new ResponsesToolRunner({ functions: [runnerFunction(order), runnerFunction(refund)] }), me)
 * const response = await runner.run(client, { model, input })
 */
export function guardRunner<R extends HostRunnerOfResponses | HostRunnerOfChat>(
  runner: R,
  gate: Gate,
  options: UngatedOption = {},
): R {
  if (isChatRunner(runner)) {
    guardChatRunner(runner, gate)
    return runner
  }
  return guardResponsesRunner(runner as R & HostRunnerOfResponses, gate, options)
}

function guardResponsesRunner<R extends HostRunnerOfResponses>(runner: R, gate: Gate, options: UngatedOption): R {
  refuseDecisions(runner)
  for (const name of ['iterate', 'run']) methodOf(PACKAGE, runner, 'the Responses runner', name)
  const members = acceptToolsets(runner, gate, options)
  async function* iterate(client: Client, params: { readonly tools?: readonly HostTool[] }, own: RunnerOptions = {}) {
    acceptHosted(params.tools ?? [], gate, options)
    const wire = new Tripwire(gate)
    const turns = runner.iterate(
      watched(client, { gate, wire, members }) as never,
      params as never,
      bridged(own, gate) as never,
    )
    for await (const turn of turns as AsyncIterable<HostTurn>) {
      wire.ran(turn.completedCallIds)
      yield wire.listening(turn)
    }
  }
  return Object.create(runner, { iterate: { value: iterate } })
}

/** Held MCP calls are decided by the gate, and after it by the app where it wants a word too. */
function bridged(own: RunnerOptions, gate: Gate): RunnerOptions {
  const { approveMcp: person = () => true, signal } = own
  const approveMcp = async (request: HostItem): Promise<boolean> => {
    const asked = signal === undefined ? {} : { signal }
    const answer = await answerMcpWith(request, gate, asked, async () => await person.call(own, request))
    return answer?.approve === true
  }
  return { ...own, approveMcp }
}
