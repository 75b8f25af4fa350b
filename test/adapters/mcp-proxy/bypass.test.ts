import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { deflateSync, gzipSync } from 'node:zlib'
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { afterEach, describe, expect, it } from 'vitest'
import { temporaryFolders } from '../../support/temporary-folder.ts'
import { mcpServerV1, mcpServerV2 } from '../mcp/parties.ts'
import { eventually } from '../mcp/wire.ts'
import { attempts } from './bypass-corpus.ts'
import { META, modernHeaders, type Stage, type StageTerms, startStage, textOf } from './http-stage.ts'
import { startSession } from './stdio-session.ts'

const folder = temporaryFolders()
const running: Server[] = []
afterEach(() => {
  for (const server of running.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

const TYPES = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const WIPE = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wipe","arguments":{}}}'

/** A server that reads whatever comes, believes all of it, and counts as run whatever it was named in any spelling. */
function ranAt({ seen }: Stage): readonly string[] {
  return seen.map(({ body }) => body).filter((body) => /wipe/i.test(body.replaceAll('\0', '')))
}

/** The gate is still there, and passes what is permitted. */
async function stillServes(stage: Stage): Promise<void> {
  const answer = await (await stage.ask('tools/call', { name: 'get', arguments: {} })).whole()
  expect(textOf(answer.frames.at(-1) ?? {})).toBe('get ran')
}

describe('whatever a client sends over HTTP', () => {
  it.each(attempts('wipe', 'get'))('does not run the refused tool: $what', async ({ text }) => {
    const stage = await startStage()
    const session = await stage.begin()
    const modern = modernHeaders('tools/call', { name: 'wipe' })
    for (const headers of [session, {}, modern, { ...session, ...modern }]) {
      await stage.send('POST', { ...TYPES, ...headers }, text)
    }
    expect(ranAt(stage)).toEqual([])
    await stillServes(stage)
  })

  it.each([
    ['Application/JSON', WIPE],
    ['APPLICATION/JSON;CHARSET="UTF-8"', WIPE],
    ['application/json; charset=utf-16', Buffer.from(WIPE, 'utf16le')],
    ['application/json; charset=utf-7', WIPE],
    ['application/json, text/plain', WIPE],
    ['application/json-seq', WIPE],
    ['application/vnd.api+json', WIPE],
    ['text/json', WIPE],
    ['text/plain', WIPE],
    ['application/x-www-form-urlencoded', WIPE],
    ['multipart/form-data; boundary=x', `--x\r\n\r\n${WIPE}\r\n--x--`],
    ['', WIPE],
  ])('does not run the refused tool: sent as %s', async (type, text) => {
    const stage = await startStage()
    await stage.send('POST', { ...TYPES, 'content-type': type }, text)
    expect(ranAt(stage)).toEqual([])
  })

  it.each([
    ['gzip', gzipSync(WIPE)],
    ['GZIP', gzipSync(WIPE)],
    ['deflate', deflateSync(WIPE)],
    ['identity, gzip', gzipSync(WIPE)],
    ['gzip', WIPE],
    ['x-unknown', WIPE],
  ])('does not run the refused tool: in the coding %s', async (coding, body) => {
    const stage = await startStage()
    const { status } = await stage.send('POST', { ...TYPES, 'content-encoding': coding }, body)
    expect(status).toBe(415)
    expect(stage.seen).toEqual([])
  })

  it.each([
    ['another name', { 'mcp-name': 'send' }],
    ['another name, encoded', { 'mcp-name': `=?base64?${Buffer.from('send').toString('base64')}?=` }],
    ['a name in bad base64', { 'mcp-name': '=?base64?!!?=' }],
    ['two names', { 'mcp-name': ['wipe', 'get'] }],
    ['no name', { 'mcp-name': undefined }],
    ['another method', { 'mcp-method': 'tools/list' }],
    ['two methods', { 'mcp-method': ['tools/call', 'tools/list'] }],
    ['two values of one argument', { 'mcp-param-region': ['eu', 'us'] }],
    ['two sessions', { 'mcp-session-id': ['a', 'b'] }],
    ['no method', { 'mcp-method': undefined }],
    ['another version', { 'mcp-protocol-version': '2025-11-25' }],
    ['no version', { 'mcp-protocol-version': undefined }],
  ])('passes nothing on, not even a permitted call, whose headers say %s', async (_what, wrong) => {
    const stage = await startStage()
    for (const name of ['wipe', 'get']) {
      const params = { name, arguments: {}, _meta: META }
      const given = Object.entries({ ...TYPES, ...modernHeaders('tools/call', params), ...wrong })
      const headers = Object.fromEntries(given.filter(([, value]) => value !== undefined))
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
      expect((await stage.send('POST', headers, body)).status).toBe(400)
      expect(stage.seen).toEqual([])
    }
  })

  it.each(['GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'QUERY'])(
    'does not run the refused tool: by %s',
    async (method) => {
      const stage = await startStage()
      const session = await stage.begin()
      const answer = await stage.send(
        method,
        { ...TYPES, ...session, 'x-http-method-override': 'POST', 'content-length': WIPE.length },
        WIPE,
      )
      expect(answer.status).not.toBe(200)
      expect(ranAt(stage)).toEqual([])
    },
  )

  it('does not run under an id that is still open, nor under that of a call that was cancelled', async () => {
    const stage = await startStage({ play: ({ method }) => (method === 'tools/call' ? true : undefined) })
    const session = await stage.begin()
    const open = stage.post({ id: 5, method: 'tools/call', params: { name: 'get', arguments: {} } }, session)
    open.catch(() => undefined)
    await eventually(() => (stage.calls().length === 1 ? true : undefined))
    const reused = await (await stage.send('POST', { ...TYPES, ...session }, WIPE.replace('"id":1', '"id":5'))).whole()
    expect(reused.status).toBe(400)
    await stage.post({ method: 'notifications/cancelled', params: { requestId: 5 } }, session)
    await (await stage.send('POST', { ...TYPES, ...session }, WIPE.replace('"id":1', '"id":5'))).whole()
    expect(ranAt(stage)).toEqual([])
  })
})

describe('whatever a client writes to the socket', () => {
  const head = (stage: Stage, more = '') =>
    `POST /mcp/notes HTTP/1.1\r\nHost: ${new URL(stage.url).host}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n${more}`
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
  const ping = '{"jsonrpc":"2.0","id":9,"method":"ping"}'
  const sized = (text: string) => `Content-Length: ${text.length}\r\n\r\n${text}`

  it.each<[string, (stage: Stage) => string]>([
    ['two requests at once', (s) => `${head(s)}${sized(ping)}${head(s)}${sized(WIPE)}`],
    [
      'a length and chunks',
      (s) =>
        `${head(s)}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(ping)}0\r\n\r\n${head(s)}${sized(WIPE)}`,
    ],
    [
      'chunks and a length',
      (s) => `${head(s)}Transfer-Encoding: chunked\r\nContent-Length: ${WIPE.length}\r\n\r\n${chunk(WIPE)}0\r\n\r\n`,
    ],
    [
      'two lengths',
      (s) =>
        `${head(s)}Content-Length: ${ping.length}\r\nContent-Length: ${ping.length + WIPE.length}\r\n\r\n${ping}${WIPE}`,
    ],
    ['a request behind the body', (s) => `${head(s)}${sized(ping)}${WIPE}`],
    ['chunks spelt otherwise', (s) => `${head(s)}Transfer-Encoding: xchunked\r\n\r\n${chunk(WIPE)}0\r\n\r\n`],
    [
      'chunks twice',
      (s) => `${head(s)}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n${chunk(WIPE)}0\r\n\r\n`,
    ],
    [
      'chunks with extensions',
      (s) => `${head(s)}Transfer-Encoding: chunked\r\n\r\n${WIPE.length.toString(16)};a=b\r\n${WIPE}\r\n0\r\n\r\n`,
    ],
    ['two types', (s) => `${head(s, 'Content-Type: text/plain\r\n')}${sized(WIPE)}`],
    ['a folded header', (s) => `${head(s, 'X-A: b\r\n Content-Encoding: gzip\r\n')}${sized(WIPE)}`],
    ['lines without a carriage return', (s) => `${head(s)}${sized(WIPE)}`.replaceAll('\r\n', '\n')],
    ['a blank before a colon', (s) => `${head(s, 'Content-Length : 0\r\n')}${sized(WIPE)}`],
    ['an absolute address', (s) => `${head(s).replace('/mcp/notes', s.url)}${sized(WIPE)}`],
    ['another host', (s) => `${head(s).replace(/Host: .*/, 'Host: evil.example')}${sized(WIPE)}`],
    ['two hosts', (s) => `${head(s, 'Host: evil.example\r\n')}${sized(WIPE)}`],
    ['an upgrade', (s) => `${head(s, 'Connection: Upgrade\r\nUpgrade: websocket\r\n')}${sized(WIPE)}`],
    ['a page of another site', (s) => `${head(s, 'Origin: https://evil.example\r\n')}${sized(WIPE)}`],
  ])('does not run the refused tool: %s', async (_what, text) => {
    const stage = await startStage()
    const socket = connect(Number(new URL(stage.url).port), '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.end(text(stage))
    await once(socket, 'close')
    expect(ranAt(stage)).toEqual([])
    await stillServes(stage)
  })

  it.each([
    '/mcp/notes/',
    '/mcp//notes',
    '/mcp/%6eotes',
    '/mcp/x/../notes',
    '/mcp/NOTES',
    '/mcp/notes%2f',
    '/mcp/',
    '/',
  ])('is answered with 404 or gated at %s', async (path) => {
    const stage = await startStage()
    await (await fetch(new URL(path, stage.url), { method: 'POST', headers: TYPES, body: WIPE })).text()
    expect(ranAt(stage)).toEqual([])
  })
})

const NO_DELETE = `
@id("all") permit (principal, action, resource);
@id("no-delete") forbid (principal, action == Action::"notes/delete_note", resource);
`

describe.each([
  ['SDK v1', listenerV1],
  ['SDK v2', listenerV2],
])('in front of a server of %s', (_name, listener) => {
  it('the refused tool runs by nothing that was tried; without the gate it does', async () => {
    const ran: string[] = []
    const server = createServer(listener((tool) => ran.push(tool)))
    running.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)
    const terms: StageTerms = { policy: NO_DELETE, upstream: { url } }
    const stage = await startStage(terms)
    const tried = attempts('delete_note', 'read_note')
    const bodies = [
      ...tried.map(({ text }) => ({ text, more: {} })),
      { text: gzipSync(String(tried[0]?.text)), more: { 'content-encoding': 'gzip' } },
    ]
    for (const { text, more } of bodies) await (await stage.send('POST', { ...TYPES, ...more }, text)).whole()
    expect(ran.filter((tool) => tool === 'delete_note')).toEqual([])

    for (const { text, more } of bodies) {
      await (await fetch(url, { method: 'POST', headers: { ...TYPES, ...more }, body: Buffer.from(text) })).text()
    }
    expect(ran.filter((tool) => tool === 'delete_note').length).toBeGreaterThan(3)
  })
})

function listenerV1(ran: (tool: string) => void): RequestListener {
  return async (request, response) => {
    const transport = new StreamableHTTPServerTransport()
    await mcpServerV1(ran).connect(transport as never)
    await transport.handleRequest(request, response)
  }
}

function listenerV2(ran: (tool: string) => void): RequestListener {
  const answer = toNodeHandler(createMcpHandler(() => mcpServerV2(ran)))
  return (request, response) => void answer(request as NodeIncomingMessageLike, response)
}

const NO_DEATH = `
@id("all") permit (principal, action, resource);
@id("no-death") forbid (principal, action == Action::"odd/die", resource);
`

describe('whatever a client writes to stdin', () => {
  it('does not run the refused tool', async () => {
    const session = await startSession(folder(), { policy: NO_DEATH })
    for (const { text } of attempts('die', 'get_note')) {
      session.input.write(text)
      session.input.write('\n')
    }
    expect(textOf(await session.call('get_note', { still: 'there' }))).toBe('get_note {"still":"there"}')
    expect(session.ran()).toEqual(['get_note'])
    await session.leave()
  })
})
