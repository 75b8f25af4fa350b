import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { Who } from '../../src/types.ts'

/** A host's web server, which signs people in by a header. */
export interface WebHost {
  readonly origin: string
  close(): Promise<void>
}

/** Serves web-standard requests over real HTTP. */
export async function startHost(handle: (request: Request) => Promise<Response>): Promise<WebHost> {
  const server = createServer((incoming, outgoing) => {
    const hasBody = incoming.method !== 'GET' && incoming.method !== 'HEAD'
    const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
      method: incoming.method ?? 'GET',
      headers: Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]),
      ...(hasBody ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' } : {}),
    })
    void handle(request).then(async (response) => {
      outgoing.writeHead(response.status, Object.fromEntries(response.headers))
      outgoing.end(Buffer.from(await response.arrayBuffer()))
    })
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections()
        server.close(() => closed())
      }),
  }
}

/** Who is signed in: `alice` or `bob:finance,legal`, in the header or the cookie `session`. */
export function signedIn(request: Request): Who | undefined {
  const cookie = /(?:^|; )session=([^;]+)/.exec(request.headers.get('cookie') ?? '')?.[1]
  const session = request.headers.get('x-session') ?? (cookie === undefined ? undefined : decodeURIComponent(cookie))
  if (session === undefined) return undefined
  const [user = '', roles] = session.split(':')
  return { user, roles: roles?.split(',') ?? [] }
}
