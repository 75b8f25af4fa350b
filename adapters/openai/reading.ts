import type { Gate } from '../../src/index.ts'
import { isLegible } from '../shared/arguments-text.ts'
import { cloneWith } from '../shared/clone.ts'
import { type HostItem, type HostTool, member, textOf } from './host.ts'
import { markMembers } from './hosted.ts'
import { inspect } from './inspect.ts'
import { expect, standInFor } from './pending.ts'
import { type StreamEvent, unrepeated } from './stream-events.ts'
import { gatedTools } from './surroundings.ts'
import type { Tripwire } from './tripwire.ts'

/** The client, as far as the Responses runner uses it. */
export interface Client {
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

/** What stands beside a runner for the length of a run. */
interface Beside {
  readonly gate: Gate
  readonly wire: Tripwire
  /** Functions of the runner's own toolset. */
  readonly members: ReadonlySet<unknown>
}

/** The client as the runner uses it; each response is read before the runner acts on it. */
export function watched(client: Client, beside: Beside): Client {
  const { responses } = client
  const watching = {
    create: async (body: Body, options: unknown) => {
      const reading = new Reading(beside, body)
      return await reading.response(await responses.create(body, options))
    },
    stream: (body: Body, options: unknown) => {
      const reading = new Reading(beside, body)
      return reading.stream(readableTo(client, reading).stream(body, options))
    },
  }
  return Object.create(client, { responses: { value: watching } })
}

/**
 * The SDK's streams, which read their events before anybody else does and end over some, with events that they can read. They ask the
 * client that their resource was made for; where none is to be found there, they get what comes.
 */
function readableTo({ responses }: Client, reading: Reading): Client['responses'] {
  const asked = member(responses, '_client')
  if (typeof asked !== 'object' || asked === null) return responses
  const create = async (body: Body, options: unknown) => {
    const events: unknown = await responses.create(body, options)
    return reading.events(events as AsyncIterable<StreamEvent>)
  }
  const asking = Object.create(responses, { create: { value: create } })
  return Object.create(responses, { _client: { value: Object.create(asked, { responses: { value: asking } }) } })
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
  /** Ids of earlier responses. */
  readonly #taken: ReadonlySet<string>
  /** By call id, what the runner is given. */
  readonly #read = new Map<string, Pick<HostItem, 'name' | 'arguments'>>()

  constructor({ gate, wire, members }: Beside, { input, tools = [] }: Body) {
    this.#gate = gate
    this.#wire = wire
    this.#members = members
    this.#names = tools.flatMap((tool) => (tool.type === 'function' ? (textOf(tool, 'name') ?? []) : []))
    const gated = gatedTools(gate)
    this.#guarded = this.#names.filter((name) => gated.has(name))
    const items: readonly unknown[] = Array.isArray(input) ? input : []
    this.#step = items.length
    this.#taken = new Set(items.flatMap((item) => textOf(item, 'call_id') ?? []))
  }

  async response(response: Response): Promise<Response> {
    await inspect(response.output, this.#gate)
    const met = new Set<string>()
    const output = response.output.flatMap((item) => {
      const { type, call_id: id = '' } = item
      if (type !== 'function_call') return [item]
      // Of calls with one id the first counts: the runner would run none.
      if (met.has(id)) return []
      met.add(id)
      return [this.#item(item)]
    })
    await markMembers(output, this.#gate, this.#members)
    return cloneWith(response, new Map([['output', output]])) as Response
  }

  /** The events of a stream, before the SDK's own reader. */
  events(events: AsyncIterable<StreamEvent>): object {
    const told = () => unrepeated(events, { named: (item) => this.#named(item), read: (item) => this.#item(item) })
    return { controller: member(events, 'controller'), [Symbol.asyncIterator]: told }
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
    const named = this.#named(item)
    const { call_id: id = '' } = named
    const known = this.#read.get(id) ?? this.#expected(item, id)
    this.#read.set(id, known)
    return { ...named, ...known }
  }

  /** Some providers number their calls anew in every response, and the runner ends over an id that it has seen. */
  #named(item: HostItem): HostItem {
    const { call_id: id } = item
    if (id === undefined || !this.#taken.has(id)) return item
    for (let at = 2; ; at += 1) if (!this.#taken.has(`${id}~${at}`)) return { ...item, call_id: `${id}~${at}` }
  }

  #expected(item: HostItem, callId: string): Pick<HostItem, 'name' | 'arguments'> {
    const { name = '', arguments: text = '' } = item
    const identity = { callId, step: this.#step }
    const isKnown = this.#names.includes(name)
    if (isKnown && isLegible(text) && isObject(JSON.parse(text))) {
      expect(this.#gate, name, JSON.stringify(JSON.parse(text)), identity)
      this.#wire.expect(name, identity)
      return {}
    }
    // Only a guarded function refuses what stands in for the arguments; without one the runner ends, as it would by itself.
    const [substitute] = this.#guarded.filter((guarded) => !isKnown || guarded === name)
    if (substitute === undefined) return {}
    const standIn = standInFor(callId)
    const definition = { name, origin: 'own' } as const
    expect(this.#gate, substitute, standIn, {
      ...identity,
      rejected: { tool: name, text, ...(isKnown ? {} : { definition }) },
    })
    return { name: substitute, arguments: standIn }
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
