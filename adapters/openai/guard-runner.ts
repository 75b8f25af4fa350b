import type { Gate } from '../../src/index.ts'
import { isLegible } from '../shared/arguments-text.ts'
import { cloneWith } from '../shared/clone.ts'
import { methodOf } from '../shared/host-shape.ts'
import { type HostItem, type HostTool, textOf } from './host.ts'
import { acceptHosted, acceptToolsets, markMembers, type UngatedOption } from './hosted.ts'
import { inspect } from './inspect.ts'
import { answerMcp } from './mcp-approval.ts'
import { expect, standInFor } from './pending.ts'
import { HOST, PACKAGE } from './surroundings.ts'
import { type HostTurn, Tripwire } from './tripwire.ts'

/** `ResponsesToolRunner` of `openai/helpers/responses-tool-runner`. */
export interface HostRunnerOfResponses {
  iterate(client: never, params: never, options?: never): AsyncGenerator<unknown, void, unknown>
  run(client: never, params: never, options?: never): Promise<unknown>
}

interface Client {
  readonly responses: {
    create(body: Body, options?: unknown): Promise<Response>
    stream(body: Body, options?: unknown): ResponseStream
  }
}

interface Body {
  readonly input?: unknown
  readonly tools?: readonly HostTool[]
}

interface Response {
  readonly output: readonly HostItem[]
}

interface ResponseStream extends AsyncIterable<StreamEvent> {
  finalResponse(): Promise<Response>
  abort(): void
}

interface StreamEvent {
  readonly type: string
  readonly item?: HostItem
}

interface RunnerOptions {
  readonly signal?: AbortSignal
  readonly approveMcp?: (request: HostItem) => unknown
}

/**
 * The Responses runner with the gate beside it. The guarded functions are the enforcement; this tells them which call they carry out,
 * reads the arguments before the runner does, answers for it where it would end its run (text that is no JSON, an unknown tool, a call
 * id given twice), decides held MCP calls, and marks what OpenAI ran by itself.
 *
 * @returns the runner, with `run` and `iterate` as before; they throw HoldpointError ERR_UNGATED for hosted tools that `ungated` does
 * not list
 * @throws HoldpointError ERR_HOST for what is no runner of this major; ERR_UNGATED for a browser or computer of its own
 * @example
 * const [order, refund] = guardTools([typedOrder, typedRefund], me)
 * const runner = guardRunner(new ResponsesToolRunner({ functions: [runnerFunction(order), runnerFunction(refund)] }), me)
 * const response = await runner.run(client, { model, input })
 */
export function guardRunner<R extends HostRunnerOfResponses>(runner: R, gate: Gate, options: UngatedOption = {}): R {
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
  const approveMcp = async (request: HostItem): Promise<boolean> => {
    if (own.approveMcp !== undefined && (await own.approveMcp(request)) !== true) return false
    return (await answerMcp(request, gate, own.signal)).approve
  }
  return { ...own, approveMcp }
}

/** What stands beside a runner for the length of a run. */
interface Beside {
  readonly gate: Gate
  readonly wire: Tripwire
  /** Functions of the runner's own toolset. */
  readonly members: ReadonlySet<unknown>
}

/** The client as the runner uses it; each response is read before the runner acts on it. */
function watched(client: Client, beside: Beside): Client {
  const { responses } = client
  const watching = {
    create: async (body: Body, options: unknown) => {
      const reading = new Reading(beside, body)
      return await reading.response(await responses.create(body, options))
    },
    stream: (body: Body, options: unknown) => new Reading(beside, body).stream(responses.stream(body, options)),
  }
  return Object.create(client, { responses: { value: watching } })
}

/** The reading of one response. */
class Reading {
  readonly #gate: Gate
  readonly #wire: Tripwire
  readonly #members: ReadonlySet<unknown>
  /** The functions that the model may call, and those of them that can refuse. */
  readonly #names: readonly string[]
  readonly #guarded: readonly string[]
  readonly #step: number
  /** By call id, what the runner is given. */
  readonly #read = new Map<string, HostItem>()

  constructor({ gate, wire, members }: Beside, { input, tools = [] }: Body) {
    this.#gate = gate
    this.#wire = wire
    this.#members = members
    this.#names = tools.flatMap((tool) => (tool.type === 'function' ? (textOf(tool, 'name') ?? []) : []))
    const gated = gate.coverage().filter(({ host, standing }) => host === HOST && standing === 'gated')
    this.#guarded = this.#names.filter((name) => gated.some(({ tool }) => tool === name))
    this.#step = Array.isArray(input) ? input.length : 0
  }

  async response(response: Response): Promise<Response> {
    await inspect(response.output, this.#gate)
    await markMembers(response.output, this.#gate, this.#members)
    const met = new Set<string>()
    const output = response.output.flatMap((item) => {
      const { type, call_id: id = '' } = item
      if (type !== 'function_call') return [item]
      // Of calls with one id the first counts: the runner would run none.
      if (met.has(id)) return []
      met.add(id)
      return [this.#item(item)]
    })
    return cloneWith(response, new Map([['output', output]])) as Response
  }

  stream(stream: ResponseStream): ResponseStream {
    const items = (event: StreamEvent): StreamEvent =>
      event.item?.type === 'function_call' && event.type === 'response.output_item.done'
        ? { ...event, item: this.#item(event.item) }
        : event
    return {
      finalResponse: async () => await this.response(await stream.finalResponse()),
      abort: () => stream.abort(),
      async *[Symbol.asyncIterator]() {
        for await (const event of stream) yield items(event)
      },
    }
  }

  /** A call as the runner is given it, the same however often it is read. */
  #item(item: HostItem): HostItem {
    const { call_id: id = '' } = item
    const known = this.#read.get(id)
    if (known !== undefined) return known
    const given = this.#expected(item, id)
    this.#read.set(id, given)
    return given
  }

  #expected(item: HostItem, callId: string): HostItem {
    const { name = '', arguments: text = '' } = item
    const identity = { callId, step: this.#step }
    const isKnown = this.#names.includes(name)
    if (isKnown && isLegible(text) && isObject(JSON.parse(text))) {
      expect(this.#gate, name, JSON.stringify(JSON.parse(text)), identity)
      this.#wire.expect(name, identity)
      return item
    }
    // Only a guarded function refuses what stands in for the arguments; without one the runner ends, as it would by itself.
    const [substitute] = this.#guarded.filter((guarded) => !isKnown || guarded === name)
    if (substitute === undefined) return item
    const standIn = standInFor(callId)
    const definition = { name, origin: 'own' } as const
    expect(this.#gate, substitute, standIn, {
      ...identity,
      rejected: { tool: name, text, ...(isKnown ? {} : { definition }) },
    })
    return { ...item, name: substitute, arguments: standIn }
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
