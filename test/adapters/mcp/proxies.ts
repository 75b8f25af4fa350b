/** `holdpoint mcp` in this process, between a client and the servers of a test. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { PassThrough } from 'node:stream'
import { serveOverHttp, serveStdio } from '../../../adapters/mcp-proxy/index.ts'
import type { Gate } from '../../../src/index.ts'
import type { Carrier } from './host-wire.ts'
import type { Party, Sdk } from './sdk.ts'

interface Terms {
  /** What the proxy calls the server. */
  readonly name: string
  readonly gate: Gate
}

/** The client's end, and what ends the proxy. */
export interface Proxied {
  readonly near: Carrier
  end(): Promise<void>
}

/** A server's own process: what it is sent goes to a server in this one, where the tools of the tests are. */
const RELAY = `
const there = require('node:net').connect(Number(process.argv[1]), '127.0.0.1')
process.stdin.pipe(there)
there.pipe(process.stdout)
`

/** The real proxy on two pipes of this process, in front of a real process. */
export async function proxyOverStdio(sdk: Sdk, { name, gate }: Terms, make: () => Party): Promise<Proxied> {
  const servers = createServer((socket) => void sdk.serve(make, sdk.lines(socket, socket)))
  servers.listen(0, '127.0.0.1')
  await once(servers, 'listening')
  const { port } = servers.address() as AddressInfo
  const [input, output] = [new PassThrough(), new PassThrough()]
  const served = serveStdio({
    name,
    command: [process.execPath, '-e', RELAY, String(port)],
    input,
    output,
    openGate: async () => ({ gate, viewFor: () => gate, note: () => undefined }),
    stopping: new AbortController().signal,
  })
  const end = async () => {
    input.end()
    await served
    servers.close()
  }
  return { near: sdk.lines(output, input), end }
}

/** The real proxy on a port of its own, in front of a real server on another. */
export async function proxyOverHttp(sdk: Sdk, { name, gate }: Terms, make: () => Party): Promise<Proxied> {
  const upstream = await sdk.listen(make)
  const served = await serveOverHttp({
    host: '127.0.0.1',
    port: 0,
    upstreams: [{ kind: 'http', name, url: upstream.url }],
    upstreamHeaders: [],
    gate,
    viewFor: () => gate,
    note: () => undefined,
  })
  const end = async () => {
    await served.close()
    await upstream.close()
  }
  return { near: sdk.overHttp(new URL(`${served.address}/mcp/${name}`)), end }
}
