import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { guardClient, guardServer, RECEIPT_KEY } from '../../../adapters/mcp/index.ts'
import type { Gate } from '../../../src/index.ts'
import type { HostDriver, ScriptedCall, ScriptedTool, Turn, TurnResult } from '../../support/adapter-conformance.ts'
import { Conversation, Person } from './host.ts'
import { CALL_ID, type Carrier, type Frame } from './host-wire.ts'
import { proxyOverHttp, proxyOverStdio } from './proxies.ts'
import type { Guard, HostClient, Party, Result, Sdk } from './sdk.ts'
import { SDK_1, SDK_1_PLAIN } from './sdk-1.ts'
import { SDK_2 } from './sdk-2.ts'
import { type Watched, watched } from './watched.ts'

/** Where the gate stands. */
export type Place =
  | 'guardServer'
  | 'guardServer in createMcpHandler'
  | 'guardClient'
  | 'holdpoint mcp over stdio'
  | 'holdpoint mcp over HTTP'

/** As the tests' gates call it. */
const SERVER = 'test'

/** Makes a server, with a gate where it is meant to have one. */
type Make = (guard: Guard) => Party

/** A client that is connected. */
interface Connection {
  end(): Promise<void>
}

const unguarded: Guard = (party) => party

const NO_PROVIDER =
  'nothing runs at a provider: every call is a message, and a provider that calls this server itself meets the gate like any client'
const EACH_ALONE =
  'each request over HTTP stands alone since 2026-07-28, and two clients of one person may use one id: a request that is sent twice is two calls'

/** One SDK with the gate in one place. Whoever begins a new conversation is done with those before. */
export class McpDriver implements HostDriver {
  readonly name: string
  readonly showsPreviews = true
  readonly lacks: NonNullable<HostDriver['lacks']>
  readonly #sdk: Sdk
  readonly #place: Place
  #open: readonly Connection[] = []

  constructor(major: 1 | 2, place: Place) {
    const isServer = place.startsWith('guardServer')
    this.#sdk = major === 2 ? SDK_2 : isServer ? SDK_1 : SDK_1_PLAIN
    this.#place = place
    const { server, client, era } = this.#sdk
    this.name = `${isServer ? server : client} ${place}, ${era}`
    this.lacks = { ...(this.#eachAlone ? { 7: EACH_ALONE } : {}), 13: NO_PROVIDER }
  }

  async play(turn: Turn): Promise<TurnResult> {
    await this.close()
    const seen = watched(turn.gate)
    const person = new Person()
    const make: Make = (guard) => guard(this.#sdk.makeServer(turn.tools))
    const client = await this.#connect(turn.bare === true ? undefined : seen.gate, person, make)
    return await this.#converse(client, person, turn, seen)
  }

  /** A server's tool that calls a tool of another server, by a client of its own: both stand behind the gate. */
  async nested({ inner, ...turn }: Turn & { readonly inner: ScriptedCall }): Promise<TurnResult> {
    await this.close()
    const seen = watched(turn.gate)
    const behind = await this.#connect(seen.gate, new Person(), (guard) => guard(this.#sdk.makeServer(turn.tools)))
    const outer: ScriptedTool = {
      input: z.object({}),
      run: async () => JSON.stringify((await behind.call(inner.tool, inner.input, {}, undefined))['content']),
    }
    const person = new Person()
    const front = () => guardServer(this.#sdk.makeServer({ outer }), seen.gate, { server: 'front' })
    const client = this.#client(person)
    await this.#join(client, front)
    return await this.#converse(client, person, { ...turn, steps: [[{ tool: 'outer', input: {}, id: 'outer' }]] }, seen)
  }

  async identityLost(gate: Gate): Promise<readonly string[]> {
    await this.close()
    const [bare, gated] = [await this.#oddThrough(undefined), await this.#oddThrough(gate)]
    return [...lostIn(bare.tool, gated.tool), ...lostIn(bare.result, gated.result)]
  }

  async close(): Promise<void> {
    const ending = this.#open
    this.#open = []
    for (const one of ending) await one.end()
  }

  get #eachAlone(): boolean {
    const isModern = this.#sdk === SDK_2
    return isModern && (this.#place === 'guardServer in createMcpHandler' || this.#place === 'holdpoint mcp over HTTP')
  }

  async #converse(client: HostClient, person: Person, turn: Turn, seen: Watched): Promise<TurnResult> {
    const terms = { sdk: this.#sdk, client, person, turn, recorded: seen.recorded, knowsIds: !this.#eachAlone }
    return await new Conversation(terms).play()
  }

  #client(person: Person): HostClient {
    return this.#sdk.makeClient(() => person.ask())
  }

  /** @param gate absent for the host as it is without us */
  async #connect(gate: Gate | undefined, person: Person, make: Make): Promise<HostClient> {
    const client = this.#client(person)
    const isOurs = gate !== undefined
    switch (this.#place) {
      case 'guardServer':
        await this.#join(client, () => make(isOurs ? (server) => guardServer(server, gate) : unguarded))
        break
      case 'guardServer in createMcpHandler':
        await this.#joinHandled(client, () => make(isOurs ? (server) => guardServer(server, gate) : unguarded))
        break
      case 'guardClient':
        await this.#join(isOurs ? guardClient(client, gate, { server: SERVER }) : client, () => make(unguarded))
        break
      case 'holdpoint mcp over stdio':
      case 'holdpoint mcp over HTTP':
        if (isOurs) await this.#joinThroughProxy(client, gate, () => make(unguarded))
        else await this.#join(client, () => make(unguarded))
    }
    return client
  }

  /** Joined by memory: the server is there first. */
  async #join(client: HostClient, make: () => Party): Promise<void> {
    const [near, far] = this.#sdk.pair()
    await this.#sdk.serve(make, far)
    await this.#begin(client, near)
  }

  async #joinHandled(client: HostClient, make: () => Party): Promise<void> {
    const near = this.#sdk.handled?.(make)
    if (near === undefined) throw new Error(`${this.name}: this SDK makes no server for each request`)
    await this.#begin(client, near)
  }

  async #joinThroughProxy(client: HostClient, gate: Gate, make: () => Party): Promise<void> {
    const start = this.#place === 'holdpoint mcp over HTTP' ? proxyOverHttp : proxyOverStdio
    const { near, end } = await start(this.#sdk, { name: SERVER, gate }, make)
    await this.#begin(client, near, end)
  }

  async #begin(client: HostClient, near: Carrier, after: () => Promise<void> = async () => undefined): Promise<void> {
    const end = async () => {
      await client.close()
      await after()
    }
    this.#open = [...this.#open, { end }]
    await client.connect(near as never)
  }

  /** A tool with everything odd about it and its result, as they come through. */
  async #oddThrough(gate: Gate | undefined): Promise<{ readonly tool: Result; readonly result: Result }> {
    const odd = { tools: [ODD], ttlMs: 1_000, cacheScope: 'private' }
    const make: Make = (guard) => guard(this.#sdk.makeOddServer(odd, ODD_RESULT))
    const client = await this.#connect(gate, new Person(), make)
    await client.list()
    await client.call('odd', { path: '/x' }, { [CALL_ID]: 'odd' }, undefined)
    const { listed, answers } = client.wire ?? {}
    const [tool = {}] = (listed?.['tools'] ?? []) as readonly Result[]
    return { tool, result: resultOf(answers?.get('odd')) }
  }
}

const ODD = {
  name: 'odd',
  title: 'Odd',
  description: 'Everything that a tool may have.',
  inputSchema: { type: 'object', properties: { path: { type: 'string', 'x-vendor': 1 } } },
  outputSchema: { type: 'object', properties: { celsius: { type: 'number' } } },
  annotations: { title: 'Odd indeed', readOnlyHint: true, 'vendor.test/hint': 1 },
  icons: [{ src: 'data:image/png;base64,AA==', mimeType: 'image/png', sizes: ['48x48'] }],
  execution: { taskSupport: 'forbidden' },
  _meta: { 'vendor.test/order': 3 },
  'vendor.test/member': { kept: true },
}
const ODD_RESULT = {
  content: [
    { type: 'text', text: 'kept', annotations: { audience: ['user'] }, _meta: { 'vendor.test/part': 1 } },
    { type: 'resource_link', uri: 'file:///x', name: 'x', mimeType: 'text/plain' },
  ],
  structuredContent: { celsius: 20 },
  _meta: { 'vendor.test/trace': 't' },
  'vendor.test/extra': 1,
}

/** Without the receipt, which stands beside whatever the tool says. */
function resultOf(answer: Frame | undefined): Result {
  const { _meta, ...result } = answer?.result ?? {}
  const { [RECEIPT_KEY]: _, ...meta } = (_meta ?? {}) as Result
  return { ...result, _meta: meta }
}

/** Which members are there without the gate, and not with it or otherwise. */
function lostIn(bare: Result, gated: Result): readonly string[] {
  const names = Object.keys(bare)
  const lost = names.filter((name) => !isDeepStrictEqual(bare[name], gated[name]))
  return names.length > 2 ? lost : [...lost, 'the tool itself']
}
