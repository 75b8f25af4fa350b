/** What either SDK has, as the driver sees it; and what the tools of a test are in MCP. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { z } from 'zod'
import type { ScriptedTool, Turn } from '../../support/adapter-conformance.ts'
import type { Carrier, HostWire } from './host-wire.ts'

/** Whatever can be put on a wire. */
export interface Party {
  connect(transport: never): Promise<unknown>
}

/** Puts a gate on whichever party it is meant for. */
export type Guard = <P extends Party>(party: P) => P

export type Tools = Turn['tools']

/** What a form is answered with. */
export type FormAnswer =
  | { readonly action: 'accept'; readonly content: Record<string, boolean> }
  | { readonly action: 'decline' | 'cancel' }

/** A result of a call, as its SDK reads it. */
export type Result = Readonly<Record<string, unknown>>

export interface HostClient extends Party {
  readonly wire: HostWire | undefined
  list(): Promise<unknown>
  call(name: string, input: unknown, meta: object, signal: AbortSignal | undefined): Promise<Result>
  close(): Promise<void>
}

/** A server over HTTP. */
export interface Listening {
  readonly url: URL
  close(): Promise<void>
}

/** One SDK, in one era of the protocol. */
export interface Sdk {
  /** The packages of its servers and of its clients. */
  readonly server: string
  readonly client: string
  /** The newest revision that it speaks here. */
  readonly era: string
  makeClient(answer: () => Promise<FormAnswer>): HostClient
  makeServer(tools: Tools): Party
  /** A server that lists this and answers that, word for word. */
  makeOddServer(listed: object, result: object): Party
  /** A server serves at this end. */
  serve(make: () => Party, at: Carrier): Promise<void>
  pair(): readonly [near: Carrier, far: Carrier]
  lines(from: Readable, to: Writable): Carrier
  /** The server on a port of its own: one session where its era has such a thing, else one server for each request. */
  listen(make: () => Party): Promise<Listening>
  overHttp(at: URL): Carrier
  /** The client's end of HTTP without a socket, where the SDK makes a server for each request. */
  handled?(make: () => Party): Carrier
  /** @throws what the SDK throws of a result that is none */
  validate(result: unknown): void
}

export const info = { name: 'tools', version: '1.0.0' }
export const app = { name: 'app', version: '1.0.0' }
export const CAPABLE = { capabilities: { elicitation: { form: {} } } }

export interface Surroundings {
  readonly signal: AbortSignal | undefined
  readonly token: unknown
  readonly notify: (notification: { readonly method: string; readonly params: object }) => Promise<void>
}

/** Runs a test's tool as a tool of MCP: previews are progress, the tool's own words its text. */
export async function carriedOut(tool: ScriptedTool, input: unknown, { signal, token, notify }: Surroundings) {
  let output: unknown
  let progress = 0
  if (tool.stream === undefined) output = await tool.run?.(input as never, { signal })
  else {
    for await (const part of tool.stream(input as never)) {
      output = part
      progress += 1
      const params = { progressToken: token, progress, message: JSON.stringify(part) }
      if (token !== undefined) await notify({ method: 'notifications/progress', params })
    }
  }
  const text = tool.toModel?.(output as never) ?? (typeof output === 'string' ? output : JSON.stringify(output))
  const structured = tool.output instanceof z.ZodObject ? output : { said: output }
  return {
    content: [{ type: 'text' as const, text }],
    ...(tool.output === undefined ? {} : { structuredContent: structured }),
  }
}

/** What is structured is an object in MCP. */
export function schemasOf({ input, output }: ScriptedTool) {
  const given = output === undefined || output instanceof z.ZodObject ? output : z.object({ said: output })
  return { inputSchema: input, ...(given === undefined ? {} : { outputSchema: given }) }
}

export async function listening(answer: RequestListener): Promise<Listening> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: new URL(`http://127.0.0.1:${port}/mcp`), close }
}
