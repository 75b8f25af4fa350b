import { type Gate, HoldpointError } from '../../src/index.ts'
import type { Origin } from './definition.ts'
import { Link } from './link.ts'
import { Rounds } from './rounds.ts'
import { Tasks } from './tasks.ts'
import { type Beside, linkTransport, type Side, type Transport } from './transport.ts'
import { type Lasting, Upstream } from './upstream.ts'

/** What `guardServer` may be told. */
export interface GuardServerOptions {
  /** Our own name of this server: its tools are `name/tool` in policies and receipts. Default: the gate's own server. */
  readonly server?: string
  /**
   * The gate as the principal of a request sees it: `gate.as({ user: authInfo.extra.sub })`. Given what the SDK says of the
   * request (`authInfo`, `sessionId`, headers); without it, all calls are the gate's own principal's.
   */
  readonly viewFor?: (extra: unknown) => Gate
  /** What a medium or high call does while no policy answers. `hold` waits for the policy point to heal. Default `refuse`. */
  readonly onSilence?: 'refuse' | 'hold'
  /** The longest that a held call waits, ms, at most 10 minutes. Default 60000. */
  readonly holdMs?: number
}

/** What `guardClient` must be told, and may be. */
export interface GuardClientOptions extends Omit<GuardServerOptions, 'viewFor'> {
  /** Our own name of the server at the other end. What it calls itself is a stranger's word. */
  readonly server: string
}

/** A server or client of either SDK, by its shape. */
interface Connectable {
  connect(transport: never): Promise<unknown>
}

/** Those that have a gate: a second one would decide every call twice. */
const guarded = new WeakSet<object>()

/**
 * Puts the gate in front of an MCP server of one's own: every `tools/call` that reaches it is decided first, and refused ones
 * never reach it. Before `connect`; the same object comes back.
 *
 * @param server `McpServer` or `Server`, of `@modelcontextprotocol/sdk` ^1.30 or `@modelcontextprotocol/server` ^2
 * @throws HoldpointError ERR_CONFIG where it is guarded or connected already
 * @example
 * const server = guardServer(new McpServer({ name: 'shop', version: '1.0.0' }), gate)
 * createMcpHandler(() => guardServer(makeServer(), gate))
 */
export function guardServer<S extends Connectable>(server: S, gate: Gate, options: GuardServerOptions = {}): S {
  return guard(server, { gate, name: options.server, side: 'server', origin: 'own', options })
}

/**
 * Puts the gate behind an MCP client: every call that it makes is decided before it leaves, by any method of the client's. The
 * server's tools are a third party's: pinned, and hints of theirs raise materiality only.
 *
 * @param client `Client`, of `@modelcontextprotocol/sdk` ^1.30 or `@modelcontextprotocol/client` ^2
 * @throws HoldpointError ERR_CONFIG where it is guarded or connected already
 * @example
 * const client = guardClient(new Client({ name: 'app', version: '1.0.0' }), gate, { server: 'shop' })
 */
export function guardClient<C extends Connectable>(client: C, gate: Gate, options: GuardClientOptions): C {
  return guard(client, { gate, name: options.server, side: 'client', origin: 'third-party', options })
}

interface Guarding {
  readonly gate: Gate
  readonly name: string | undefined
  readonly side: Side
  readonly origin: Origin
  readonly options: GuardServerOptions
}

function guard<T extends Connectable>(party: T, guarding: Guarding): T {
  const protocol = protocolOf(party)
  refuseTwice(party, protocol)
  const connect = protocol.connect.bind(protocol) as (transport: Transport, ...rest: unknown[]) => Promise<unknown>
  Object.defineProperty(protocol, 'connect', {
    value: (transport: Transport, ...rest: unknown[]) => connect(guardTransport(transport, guarding), ...rest),
    configurable: true,
    writable: true,
  })
  guarded.add(protocol)
  return party
}

/** An `McpServer` holds the `Server` that is connected in the end. */
function protocolOf(party: Connectable): Connectable {
  const { server } = party as { readonly server?: unknown }
  const isConnectable = typeof server === 'object' && server !== null && 'connect' in server
  return isConnectable ? (server as Connectable) : party
}

function refuseTwice(party: Connectable, protocol: Connectable): void {
  const { transport } = protocol as { readonly transport?: unknown }
  const at = party.constructor.name
  if (guarded.has(protocol))
    throw new HoldpointError('ERR_CONFIG', `this ${at} is guarded already: guard it once`, { at })
  if (transport !== undefined) {
    throw new HoldpointError('ERR_CONFIG', `this ${at} is connected already: guard it before connect()`, { at })
  }
}

function guardTransport(transport: Transport, { gate, name, side, origin, options }: Guarding): Transport {
  const { viewFor, onSilence, holdMs } = options
  const upstream = new Upstream(gate, name, origin, side === 'server' ? lastingOf(name) : {})
  return linkTransport(transport, side, {
    join: ({ inward, outward }) => {
      const [toServer, toClient] = side === 'server' ? [inward, outward] : [outward, inward]
      return new Link<Beside>({
        upstream,
        gateFor: ({ extra }) => viewFor?.(extra) ?? gate,
        toServer,
        toClient,
        note: (text) => gate.warn('mcp', text),
        ...(onSilence === undefined ? {} : { onSilence }),
        ...(holdMs === undefined ? {} : { holdMs }),
      })
    },
    // A server of one's own may be made anew for each request; one at the other end is gone with its connection.
    closed: () => (side === 'client' ? upstream.close() : undefined),
  })
}

const lasting = new Map<string | undefined, Lasting>()

/**
 * `createMcpHandler` has a server made for each request: what one of them asked or began, the next one of the same name knows.
 * None of it is anybody's by its name alone: a question is bound to its call, and a task's id cannot be guessed.
 */
function lastingOf(name: string | undefined): Lasting {
  const known = lasting.get(name) ?? { rounds: new Rounds(), tasks: new Tasks() }
  lasting.set(name, known)
  return known
}
