import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { FAULTS, type Fault, type Kind } from './raw-faults.ts'

/** A request as it came. */
export interface Seen {
  /** `POST /access/v1/evaluation HTTP/1.1`. */
  readonly line: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** Which connection it came on, counted from 1. */
  readonly connection: number
}

/** A policy service that does to its clients what a test says, byte by byte. */
export interface RawServer {
  readonly url: string
  readonly port: number
  /** What to put in `url` of the client for this kind of service. */
  readonly ruleUrl: string
  readonly seen: readonly Seen[]
  /** The connections that are open now. */
  readonly open: ReadonlySet<Socket>
  /** From now on, requests are met so. */
  play(fault: Fault): void
  stop(): Promise<void>
}

/** Starts a raw server on a free port of this machine. It permits everything until told otherwise. */
export async function startRawServer(kind: Kind): Promise<RawServer> {
  let fault: Fault = FAULTS['healthy'] ?? { taken: 'absent', play: () => undefined }
  let connections = 0
  const seen: Seen[] = []
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    connections += 1
    const connection = connections
    open.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => open.delete(socket))
    readRequests(socket, (request) => {
      seen.push({ ...request, connection })
      fault.play({ socket, ...bodiesOf(kind, request), elsewhere: `${url}/elsewhere` })
    })
  })
  const port = await listening(server)
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    port,
    ruleUrl: kind === 'opa' ? `${url}/v1/data/shop/decision` : url,
    seen,
    open,
    play(next) {
      fault = next
    },
    async stop() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Takes requests off a connection, one after the other. */
function readRequests(socket: Socket, take: (request: Omit<Seen, 'connection'>) => void): void {
  let buffered = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    buffered += text
    for (;;) {
      const end = buffered.indexOf('\r\n\r\n')
      if (end < 0) return
      const [line = '', ...rest] = buffered.slice(0, end).split('\r\n')
      const headers = new Map(rest.map((header): [string, string] => splitHeader(header)))
      const length = Number(headers.get('content-length') ?? 0)
      const rest0 = Buffer.from(buffered.slice(end + 4))
      if (rest0.length < length) return
      buffered = rest0.subarray(length).toString()
      take({ line, headers, body: rest0.subarray(0, length).toString() })
    }
  })
}

function splitHeader(header: string): [string, string] {
  const colon = header.indexOf(':')
  return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()]
}

/** How this kind of service permits and denies this request, and how it says which one it is. */
function bodiesOf(
  kind: Kind,
  { headers, body }: Omit<Seen, 'connection'>,
): { readonly permit: string; readonly deny: string; readonly otherPermit: string; readonly echo: string } {
  const id = headers.get('x-request-id') ?? ''
  switch (kind) {
    case 'authzen':
      return {
        permit: '{"decision":true}',
        deny: '{"decision":false}',
        otherPermit: '{"decision":true}',
        echo: `x-request-id: ${id}\r\n`,
      }
    case 'opa':
      return { permit: '{"result":true}', deny: '{"result":false}', otherPermit: '{"result":true}', echo: '' }
    case 'cerbos':
      return {
        permit: cerbosBody(body, true, id),
        deny: cerbosBody(body, false, id),
        otherPermit: cerbosBody(body, true, 'some-other-request'),
        echo: '',
      }
  }
}

function cerbosBody(body: string, decision: boolean, requestId: string): string {
  const { resource } = JSON.parse(body) as { readonly resource: { readonly id: string; readonly type: string } }
  const result = {
    actions: { 'tools/call': decision ? 'EFFECT_ALLOW' : 'EFFECT_DENY' },
    meta: { actions: { 'tools/call': { matchedPolicy: 'resource.tool.vdefault' } } },
    resource: { id: resource.id, kind: resource.type },
  }
  return JSON.stringify({ decision, context: { 'cerbos.response': { requestId, results: [result] } } })
}
