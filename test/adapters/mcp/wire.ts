/** One connection as the gate's engine sees it, without any SDK: frames of a client's on one side, of a server's on the other. */
import { vi } from 'vitest'
import { Link, type LinkTerms } from '../../../adapters/mcp/link.ts'
import type { Message } from '../../../adapters/mcp/message.ts'
import { Upstream } from '../../../adapters/mcp/upstream.ts'
import type { Gate, OutcomeStatus } from '../../../src/index.ts'
import { type TestGate, type TestGateOptions, testGate } from '../../../src/testing.ts'
import type { PolicyDecisionPoint } from '../../../src/types.ts'
import { PERMIT, scriptedPoint } from '../../support/scripted-point.ts'

/** A call in the modern era says so itself. */
export const MODERN = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
  'io.modelcontextprotocol/clientInfo': { name: 'app', version: '1.0.0' },
}

export const TOOLS = ['read_note', 'write_note'].map((name) => ({
  name,
  description: `${name} of a person`,
  inputSchema: { type: 'object', properties: { id: { type: 'string' } } },
}))

/** A frame as a client reads it. */
export interface Frame {
  readonly id?: string | number | null
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number; readonly message: string }
}

export interface WireOptions extends TestGateOptions {
  readonly origin?: 'own' | 'third-party'
  /** Where the calls' principal is not alice. */
  readonly as?: (gate: Gate) => Gate
  readonly link?: Partial<LinkTerms<undefined>>
  /** What the server lists, or `undefined` where it answers `tools/list` not at all. */
  readonly lists?: (params: Message) => Message | undefined
}

export class Wire {
  readonly gate: TestGate
  readonly upstream: Upstream
  /** What has reached either side; the server's without the listings that it was asked for by the gate. */
  readonly toServer: Message[] = []
  readonly toClient: Message[] = []
  readonly notes: string[] = []
  /** How often the gate had the tools listed. */
  listings = 0
  link: Link<undefined>
  #id = 0

  constructor(options: WireOptions = {}, shared?: Wire) {
    const { origin = 'own', lists = () => ({ tools: TOOLS }) } = options
    this.gate = shared?.gate ?? testGate({ server: 'notes', ...options })
    this.upstream = shared?.upstream ?? new Upstream(this.gate, 'notes', origin)
    const view = options.as?.(this.gate) ?? this.gate.as({ user: 'alice' })
    this.link = new Link<undefined>({
      upstream: this.upstream,
      gateFor: () => view,
      toServer: (message) => {
        if (!String(message['id']).startsWith('holdpoint-')) return void this.toServer.push(message)
        this.listings += 1
        const result = lists((message['params'] ?? {}) as Message)
        if (result !== undefined) queueMicrotask(() => this.fromServer({ id: message['id'], result }))
      },
      toClient: (message) => void this.toClient.push(message),
      note: (text) => void this.notes.push(text),
      ...options.link,
    })
  }

  fromClient(frame: Message): void {
    void this.link.fromClient({ jsonrpc: '2.0', ...frame }, undefined)
  }

  fromServer(frame: Message): void {
    void this.link.fromServer({ jsonrpc: '2.0', ...frame }, undefined)
  }

  /** A legacy handshake, so that the gate knows what the client can do. */
  initialize(capabilities: Message): void {
    const id = this.ask('initialize', { protocolVersion: '2025-11-25', capabilities })
    this.fromServer({ id, result: {} })
  }

  /** The client asks; its id comes back. */
  ask(method: string, params: Message = {}, id: string | number = ++this.#id): string | number {
    this.fromClient({ id, method, params })
    return id
  }

  call(name: string, args: Message = { id: '7' }, more: Message = {}): string | number {
    return this.ask('tools/call', { name, arguments: args, ...more })
  }

  /** What the client was answered under this id, once it is. */
  async answered(id: string | number): Promise<Message> {
    return await eventually(() => this.toClient.find((frame) => frame['id'] === id && frame['method'] === undefined))
  }

  async resultOf(id: string | number): Promise<Message> {
    return ((await this.answered(id))['result'] ?? {}) as Message
  }

  /** The request or notification that has reached the server, once it has. */
  async reached(method: string, nth = 0): Promise<Message> {
    return await eventually(() => this.toServer.filter((frame) => frame['method'] === method)[nth])
  }

  /** What the client was asked or told, once it was. */
  async told(method: string, nth = 0): Promise<Message> {
    return await eventually(() => this.toClient.filter((frame) => frame['method'] === method)[nth])
  }

  get calls(): readonly Message[] {
    return this.toServer.filter((frame) => frame['method'] === 'tools/call')
  }

  /** How calls ended, as the receipts of outcomes say. */
  async settled(count: number): Promise<readonly OutcomeStatus[]> {
    return await eventually(() => {
      const ended = this.gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))
      return ended.length >= count ? ended : undefined
    })
  }
}

/** A policy point that answers when the test says so. */
export function slowPoint(): { readonly point: PolicyDecisionPoint; release(): void; readonly asked: () => number } {
  const { promise, resolve } = Promise.withResolvers<void>()
  let asked = 0
  const point = scriptedPoint(async () => {
    asked += 1
    await promise
    return PERMIT
  })
  return { point, release: resolve, asked: () => asked }
}

/** Waits for what will be there; a test that waits in vain fails by its own time. */
export async function eventually<T>(look: () => T | undefined): Promise<T> {
  return (await vi.waitUntil(() => look() ?? false, { timeout: 10_000, interval: 2 })) as T
}

/** Lets whatever is under way come to rest. */
export async function rest(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
