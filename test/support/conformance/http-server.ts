import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  localhostHostValidation,
  localhostOriginValidation,
  type NodeIncomingMessageLike,
  toNodeHandler,
} from '@modelcontextprotocol/node'
import {
  createMcpHandler,
  isLegacyRequest,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { createEventStore } from './event-store.ts'
import { type Announcer, createFixture } from './fixture.ts'

/** How long a client is asked to wait before it takes up a stream that the server closed, in ms. */
const RETRY_MS = 200

/** Makes the fixture, guarded or not. */
export type MakeFixture = (announcer?: Announcer) => McpServer

/**
 * Serves the fixture on 127.0.0.1, on a port of the system's choice, and resolves with its URL. Clients until 2025-11-25 get
 * sessions, whose streams can be resumed; later ones get an answer to each request.
 */
export async function serveFixture(make: MakeFixture = createFixture): Promise<string> {
  const modern = createMcpHandler(() => make({ toolsChanged, promptsChanged }), { legacy: 'reject' })
  const toolsChanged = () => modern.notify.toolsChanged()
  const promptsChanged = () => modern.notify.promptsChanged()
  const answerLegacy = createSessions(make)
  const answer = toNodeHandler({
    fetch: async (request, about) =>
      (await isLegacyRequest(request)) ? answerLegacy(request) : modern.fetch(request, about),
  })
  const isOurHost = localhostHostValidation()
  const isOurOrigin = localhostOriginValidation()
  const server = createServer(async (request, response) => {
    if (!isOurHost(request, response) || !isOurOrigin(request, response)) return
    await answer(request as NodeIncomingMessageLike, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}/mcp`
}

/** One transport and one server for each session. A session that nobody knows is answered by a transport that has none. */
function createSessions(make: MakeFixture): (request: Request) => Promise<Response> {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()
  return async (request) => {
    const known = sessions.get(request.headers.get('mcp-session-id') ?? '')
    if (known !== undefined) return await known.handleRequest(request)
    if (request.headers.has('mcp-session-id')) return unknownSession()
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: createEventStore(),
      retryInterval: RETRY_MS,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    })
    await make().connect(transport)
    return await transport.handleRequest(request)
  }
}

function unknownSession(): Response {
  const error = { code: -32001, message: 'Session not found' }
  return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 404 })
}
