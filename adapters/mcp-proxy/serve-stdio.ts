import type { Readable, Writable } from 'node:stream'
import { type ServerCommand, ServerProcess } from './child.ts'
import type { GateTerms } from './http/terms.ts'

/** What a proxy between two pipes is told. */
export interface StdioTerms {
  /** Our own name of the server: its tools are `name/tool`. */
  readonly name: string
  readonly command: ServerCommand
  readonly input: Readable
  /** For frames alone: nothing else of this process may write there. */
  readonly output: Writable
  /** Opens the gate. Called while the server starts; nothing is passed before it is done. */
  readonly openGate: () => Promise<GateTerms>
  /** Says that it is time to go. */
  readonly stopping: AbortSignal
  /** How long the server may take to answer a request, ms. Default: as long as the client waits. */
  readonly timeoutMs?: number
  /** The longest frame of either side, bytes. Default 4 MiB. */
  readonly longestFrame?: number
}

/** How it ended, or why it never began. */
export type StdioServed =
  | { readonly kind: 'not_started'; readonly because: string }
  /** `because` is absent where the client left, or told us to: how every session should end. */
  | { readonly kind: 'ended'; readonly because: string | undefined }

/**
 * Starts one MCP server and stands between it and the client on our own pipes, until one of them is gone. The server is gone
 * then too, with everything that it started.
 *
 * The server starts first: it and the gate, which has much to load, then begin side by side.
 *
 * @throws whatever `openGate` throws; nothing was served then
 */
export async function serveStdio({ openGate, command, ...terms }: StdioTerms): Promise<StdioServed> {
  const server = started(command)
  if (!(server instanceof ServerProcess)) return server
  const failure = await server.started
  if (failure !== undefined) return { kind: 'not_started', because: failure }
  try {
    const [{ serveSession }, gate] = await Promise.all([import('./stdio.ts'), openGate()])
    return { kind: 'ended', because: await serveSession({ ...terms, server, gate }) }
  } catch (cause) {
    await server.stop(0)
    throw cause
  }
}

function started(command: ServerCommand): ServerProcess | StdioServed {
  try {
    return new ServerProcess(command)
  } catch (cause) {
    return { kind: 'not_started', because: cause instanceof Error ? cause.message : 'it cannot be handed over' }
  }
}
