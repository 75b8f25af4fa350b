/** A proxy that listens, a client that speaks HTTP by hand, and behind it a server that believes everything. */
import { once } from 'node:events'
import http, { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'
import { type Served, serveHttp } from '../../../adapters/mcp-proxy/http/serve.ts'
import type { ServeTerms, UpstreamTerms } from '../../../adapters/mcp-proxy/http/terms.ts'
import type { Gate, OutcomeStatus } from '../../../src/index.ts'
import { type TestGate, type TestGateOptions, testGate } from '../../../src/testing.ts'
import { eventually, type Frame } from '../mcp/wire.ts'

/** A request as the upstream got it. */
export interface Seen {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What the upstream does with a request; `undefined` for what it does as a rule. */
export type Play = (frame: Frame, response: ServerResponse, seen: Seen) => unknown

/** A modern request says so itself, and its headers repeat it. */
export const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
}
const TYPES = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** Forbids one tool, asks about another, permits the rest. */
export const NO_WIPE = `
@id("all") permit (principal, action, resource);
@id("no-wipe") forbid (principal, action == Action::"notes/wipe", resource);
`

/** One answer, which may still be coming. */
export class Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly #response: IncomingMessage
  text = ''
  isOver = false

  constructor(response: IncomingMessage) {
    this.#response = response
    this.status = response.statusCode ?? 0
    this.headers = response.headers
    response.setEncoding('utf8').on('data', (chunk: string) => {
      this.text += chunk
    })
    response.on('close', () => {
      this.isOver = true
    })
    response.on('error', () => undefined)
  }

  /** All frames so far: the one body, or the events. */
  get frames(): readonly Frame[] {
    const isStream = this.headers['content-type'] === 'text/event-stream'
    const texts = isStream ? [...this.text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => data) : [this.text]
    return texts.filter((text) => text !== '').map((text) => JSON.parse(text) as Frame)
  }

  async until(wanted: (frame: Frame) => boolean): Promise<Frame> {
    return await eventually(() => this.frames.find(wanted))
  }

  /** Once all of it is here. */
  async whole(): Promise<this> {
    await eventually(() => this.isOver || undefined)
    return this
  }

  /** The client goes away. */
  leave(): void {
    this.#response.destroy()
  }
}

export interface Stage {
  readonly url: string
  readonly gate: TestGate
  readonly seen: readonly Seen[]
  readonly notes: readonly string[]
  /** Bodies of calls that came to the upstream. */
  readonly calls: () => readonly Frame[]
  send(method: string, headers?: http.OutgoingHttpHeaders, body?: string | Buffer): Promise<Answer>
  /** A frame of the earlier era, with all that it has to say. */
  post(frame: object, headers?: http.OutgoingHttpHeaders): Promise<Answer>
  /** The same of the later era. */
  ask(method: string, params: object, id?: string | number): Promise<Answer>
  /** A session; its headers come back. */
  begin(capabilities?: object): Promise<{ readonly 'mcp-session-id': string }>
  outcomes(count: number): Promise<readonly OutcomeStatus[]>
  close(): Promise<void>
}

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

export interface StageTerms {
  readonly policy?: TestGateOptions['policy']
  readonly gate?: TestGateOptions
  readonly play?: Play
  readonly serve?: Partial<ServeTerms>
  readonly upstream?: Partial<Extract<UpstreamTerms, { readonly kind: 'http' }>>
  /** A command instead of the server of this stage. */
  readonly command?: readonly [string, ...string[]]
}

export async function startStage(terms: StageTerms = {}): Promise<Stage> {
  const { policy = NO_WIPE, play = () => undefined } = terms
  const gate = testGate({ policy, ...terms.gate })
  const seen: Seen[] = []
  const notes: string[] = []
  const upstream = createServer((request, response) => void answer(request, response, seen, play))
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const { port } = upstream.address() as AddressInfo
  const served = await serveHttp({
    host: '127.0.0.1',
    port: 0,
    upstreams: [upstreamTerms(terms, port)],
    gate,
    viewFor: (who, conversation): Gate => gate.as(who ?? { user: 'alice' }, { conversation }),
    note: (text) => void notes.push(text),
    ...terms.serve,
  })
  const close = closer(served, gate, () => {
    upstream.closeAllConnections()
    upstream.close()
  })
  closing.push(close)
  const url = `${served.address}/mcp/notes`
  const send: Stage['send'] = (method, headers = {}, body) => request(url, method, headers, body)
  const post: Stage['post'] = (frame, headers = {}) =>
    send('POST', { ...TYPES, ...headers }, JSON.stringify({ jsonrpc: '2.0', ...frame }))
  return {
    url,
    gate,
    seen,
    notes,
    calls: () => seen.map(({ body }) => read(body)).filter(({ method }) => method === 'tools/call'),
    send,
    post,
    ask: (method, params, id = 1) =>
      post({ id, method, params: { ...params, _meta: META } }, modernHeaders(method, params)),
    begin: async (capabilities = {}) => {
      const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'hand', version: '1' } }
      const { headers } = await (await post({ id: 0, method: 'initialize', params })).whole()
      const session = { 'mcp-session-id': String(headers['mcp-session-id']) }
      await post({ method: 'notifications/initialized' }, session)
      return session
    },
    outcomes: async (count) =>
      await eventually(() => {
        const ended = gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))
        return ended.length >= count ? ended : undefined
      }),
    close,
  }
}

function upstreamTerms({ command, upstream }: StageTerms, port: number): UpstreamTerms {
  if (command === undefined)
    return { kind: 'http', name: 'notes', url: new URL(`http://127.0.0.1:${port}/mcp`), ...upstream }
  return { kind: 'command', name: 'notes', command }
}

function closer(served: Served, gate: TestGate, stop: () => void): () => Promise<void> {
  let done: Promise<void> | undefined
  const close = async () => {
    await served.close()
    stop()
    await gate.close()
  }
  return () => {
    done ??= close()
    return done
  }
}

export function modernHeaders(method: string, params: object): http.OutgoingHttpHeaders {
  const { name } = params as { readonly name?: string }
  return {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(name === undefined ? {} : { 'mcp-name': name }),
  }
}

async function request(
  url: string,
  method: string,
  headers: http.OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const sent = http.request(url, { method, headers, agent: false }, resolve)
  // A client that waits in vain waits until the test is over.
  promise.catch(() => undefined)
  sent.on('error', reject).end(body)
  const response = await promise
  return new Answer(response)
}

export function read(body: string): Frame {
  try {
    return JSON.parse(body) as Frame
  } catch {
    return {}
  }
}

const LISTED = { ttlMs: 0, cacheScope: 'private', resultType: 'complete' }
const TOOLS = ['get', 'wipe', 'send'].map((name) => ({
  name,
  description: `${name} for a test`,
  inputSchema: { type: 'object' },
}))

async function answer(request: IncomingMessage, response: ServerResponse, seen: Seen[], play: Play): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const one = { method: request.method ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() }
  seen.push(one)
  const frame = read(one.body)
  if (play(frame, response, one) !== undefined) return
  if (frame.method === 'initialize') response.setHeader('mcp-session-id', `session-${seen.length}`)
  const result = resultOf(frame)
  if (result === undefined) response.writeHead(request.method === 'POST' ? 202 : 405).end()
  else json(response, { id: frame.id, result })
}

function resultOf({ method, params = {} }: Frame): object | undefined {
  switch (method) {
    case 'initialize':
      return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'n', version: '1' } }
    case 'server/discover':
      return { ...LISTED, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }
    case 'tools/list':
      return { ...LISTED, tools: TOOLS }
    case 'tools/call':
      return { content: [{ type: 'text', text: `${String(params['name'])} ran` }], resultType: 'complete' }
    default:
      return undefined
  }
}

export function json(response: ServerResponse, frame: object, status = 200): true {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', ...frame }))
  return true
}

/** Opens a stream of events, and writes what it is given as it is. */
export function stream(response: ServerResponse, text = ''): true {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text === '' ? ': open\n' : text)
  return true
}

export function event(frame: object, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify({ jsonrpc: '2.0', ...frame })}\n\n`
}

export function textOf({ result = {} }: Frame): string {
  const [first] = (result['content'] ?? []) as readonly { readonly text?: string }[]
  return first?.text ?? ''
}
