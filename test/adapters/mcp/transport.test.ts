import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { describe, expect, it, vi } from 'vitest'
import { guardClient, guardServer } from '../../../adapters/mcp/index.ts'
import type { Message } from '../../../adapters/mcp/message.ts'
import { HoldpointError } from '../../../src/index.ts'
import { testGate } from '../../../src/testing.ts'
import { mcpServerV1, mcpServerV2 } from './parties.ts'
import { eventually, rest, slowPoint, TOOLS } from './wire.ts'

/** Either end of a wire, by the shape that both SDKs have. */
class Pipe {
  readonly sent: (readonly [Message, unknown])[] = []
  onmessage?: ((message: Message, extra?: unknown) => void) | undefined
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  sessionId = 's-1'
  version = ''
  broken = false
  readonly #secret = 'private'

  async start(): Promise<void> {}

  async send(message: Message, options?: unknown): Promise<void> {
    if (this.broken) throw new Error('broken pipe')
    this.sent.push([message, options])
    if (message['method'] === 'tools/list')
      queueMicrotask(() => this.onmessage?.({ jsonrpc: '2.0', id: message['id'], result: { tools: TOOLS } }))
  }

  async close(): Promise<void> {
    this.onclose?.()
  }

  /** A transport's own methods need its own `this`. */
  setProtocolVersion(version: string): void {
    if (this.#secret === 'private') this.version = version
  }
}

/** Whatever can be connected can be guarded; this one shows the transport that it got. */
class Party {
  transport?: Pipe

  async connect(transport: Pipe): Promise<void> {
    this.transport = transport
  }
}

async function joined(at: 'server' | 'client', options: Parameters<typeof testGate>[0] = {}) {
  const gate = testGate({ server: 'notes', ...options })
  const pipe = new Pipe()
  const party =
    at === 'server'
      ? guardServer(new Party(), gate)
      : guardClient(new Party(), gate.as({ user: 'alice' }), { server: 'notes' })
  await party.connect(pipe)
  return { gate, pipe, party, through: party.transport as Pipe }
}

const call = (id: number, more: Message = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: 'read_note', arguments: { id: '7' }, ...more },
})
const methods = (pipe: Pipe) => pipe.sent.map(([{ method }]) => method)

describe('the transport that a guarded party gets', () => {
  it('is its own to use: class, session, version, and methods that need their own object', async () => {
    const { pipe, through } = await joined('client')
    expect(through).toBeInstanceOf(Pipe)
    expect(Object.getPrototypeOf(through)).toBe(Pipe.prototype)
    expect(through.sessionId).toBe('s-1')
    through.setProtocolVersion('2025-11-25')
    expect(pipe.version).toBe('2025-11-25')
    through.sessionId = 's-2'
    expect(pipe.sessionId).toBe('s-2')
  })

  it('goes on telling whoever listened before, and tells them nothing of what goes no further', async () => {
    const gate = testGate()
    const pipe = new Pipe()
    const heard: Message[] = []
    pipe.onmessage = (message) => void heard.push(message)
    const party = guardServer(new Party(), gate)
    await party.connect(pipe)
    const through = party.transport as Pipe
    const before = through.onmessage
    through.onmessage = (message, extra) => before?.(message, extra)
    pipe.onmessage?.({ jsonrpc: '2.0', method: 'notifications/initialized' })
    pipe.onmessage?.([call(1)] as unknown as Message)
    expect(heard).toEqual([{ jsonrpc: '2.0', method: 'notifications/initialized' }])
    expect(pipe.sent).toEqual([[expect.objectContaining({ id: null, error: expect.anything() }), undefined]])
  })

  it('says by its own onerror that it could not be sent to, and goes on', async () => {
    const { pipe, through } = await joined('server')
    const errors: string[] = []
    through.onerror = ({ message }) => void errors.push(message)
    through.onmessage = () => undefined
    pipe.broken = true
    pipe.onmessage?.({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 7 } })
    await eventually(() => errors[0])
    expect(errors).toEqual(['broken pipe'])
  })

  it('tells its party that it has closed, and runs nothing that was held', async () => {
    const { point, release, asked } = slowPoint()
    const { gate, pipe, through } = await joined('client', { policy: point })
    const closed = vi.fn()
    through.onclose = closed
    through.onmessage = () => undefined
    void through.send(call(1))
    await eventually(() => asked() || undefined)
    await through.close()
    release()
    await eventually(() => gate.calls[0])
    await rest()
    expect(closed).toHaveBeenCalledOnce()
    expect(methods(pipe)).toEqual(['tools/list'])
    expect(gate.calls).toEqual([expect.objectContaining({ code: 'cancelled' })])
  })
})

describe('what a client says of sending', () => {
  it('holds for its own call, and not for what the gate asks on account of it', async () => {
    const { pipe, through } = await joined('client')
    through.onmessage = () => undefined
    const options = { resumptionToken: 't', headers: { 'mcp-param-x': '1' } }
    await through.send(call(1), options)
    expect(pipe.sent).toEqual([
      [expect.objectContaining({ method: 'tools/list' }), undefined],
      [expect.objectContaining({ id: 1, method: 'tools/call' }), options],
    ])
  })

  it('cancels a call that is held, where it drops the request without a word', async () => {
    const { point, release, asked } = slowPoint()
    const { gate, pipe, through } = await joined('client', { policy: point })
    through.onmessage = () => undefined
    const leaving = new AbortController()
    void through.send(call(1), { requestSignal: leaving.signal })
    await eventually(() => asked() || undefined)
    leaving.abort()
    release()
    await eventually(() => gate.calls[0])
    await rest()
    expect(methods(pipe)).toEqual(['tools/list'])
  })
})

describe('what a server is told of who asks', () => {
  it('decides whose call it is', async () => {
    const gate = testGate({
      server: 'notes',
      policy: '@id("alice") permit (principal == User::"alice", action, resource);',
    })
    const pipe = new Pipe()
    const viewFor = (extra: unknown) => gate.as({ user: (extra as { readonly user: string }).user })
    const party = guardServer(new Party(), gate, { viewFor })
    await party.connect(pipe)
    const through = party.transport as Pipe
    const reached: Message[] = []
    through.onmessage = (message) => {
      if (message['method'] === 'tools/list')
        void through.send({ jsonrpc: '2.0', id: message['id'], result: { tools: TOOLS } })
      else reached.push(message)
    }
    pipe.onmessage?.(call(1), { user: 'alice' })
    pipe.onmessage?.(call(2), { user: 'mallory' })
    await eventually(() => gate.calls[1])
    await rest()
    expect(reached).toEqual([expect.objectContaining({ id: 1 })])
    // The refusal goes to the stream that its call came on.
    expect(pipe.sent).toEqual([[expect.objectContaining({ id: 2 }), { relatedRequestId: 2 }]])
  })

  it('decides for whom a server samples while it works on that request', async () => {
    const gate = testGate({
      server: 'notes',
      policy: '@id("alice") permit (principal == User::"alice", action, resource);',
    })
    const pipe = new Pipe()
    const viewFor = (extra: unknown) => gate.as({ user: (extra as { readonly user: string }).user })
    const party = guardServer(new Party(), gate, { viewFor })
    await party.connect(pipe)
    const through = party.transport as Pipe
    through.onmessage = () => undefined
    const sampling = { jsonrpc: '2.0', method: 'sampling/createMessage', params: { messages: [], tools: TOOLS } }
    for (const [id, user] of ['alice', 'mallory'].entries()) {
      pipe.onmessage?.({ jsonrpc: '2.0', id, method: 'prompts/get', params: { name: 'tidy' } }, { user })
      await through.send({ ...sampling, id }, { relatedRequestId: id })
    }
    await eventually(() => gate.calls[1])
    await rest()
    expect(pipe.sent).toEqual([
      [expect.objectContaining({ id: 0, method: 'sampling/createMessage' }), { relatedRequestId: 0 }],
    ])
  })
})

describe('guarding', () => {
  it('refuses what is guarded already, by itself or by the server in it', () => {
    const gate = testGate()
    for (const make of [mcpServerV1, mcpServerV2]) {
      const server = guardServer(
        make(() => undefined),
        gate,
      )
      expect(() => guardServer(server, gate)).toThrow(/guarded already/)
      expect(() => guardServer(server.server as never, gate)).toThrow(HoldpointError)
    }
  })

  it('refuses what is connected already: its calls would pass by the gate', async () => {
    const [near] = InMemoryTransport.createLinkedPair()
    const server = mcpServerV1(() => undefined)
    await server.connect(near)
    expect(() => guardServer(server, testGate())).toThrow(/connected already: guard it before connect/)
  })

  it('stands at every connection of a client that connects again', async () => {
    const gate = testGate({ server: 'notes', policy: '@id("no") forbid (principal, action, resource);' })
    const ran: string[] = []
    const client = guardClient(new Client({ name: 'app', version: '1.0.0' }), gate.as({ user: 'alice' }), {
      server: 'notes',
    })
    for (let time = 0; time < 2; time += 1) {
      const [near, far] = InMemoryTransport.createLinkedPair()
      await mcpServerV1((tool) => void ran.push(tool)).connect(far)
      await client.connect(near)
      expect((await client.callTool({ name: 'read_note', arguments: { id: '7' } })).isError).toBe(true)
      await client.close()
    }
    expect(ran).toEqual([])
  })
})
