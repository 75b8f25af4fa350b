/** The flags of `holdpoint mcp`, read and held against one another. */
import type { ServerCommand } from '../../../adapters/mcp-proxy/index.ts'
import { DEFAULT_SERVER, isServerName, SERVER_RULE } from '../../bytes/names.ts'
import { UnusableInput } from '../exit.ts'

export interface Flags {
  readonly name?: string
  readonly policy?: readonly string[]
  readonly config?: string
  readonly principal?: string
  readonly observe?: true
  readonly until?: string
  readonly timeout?: string
  readonly listen?: string
  readonly upstream?: readonly string[]
  readonly upstreamHeader?: readonly string[]
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly behindProxy?: true
  readonly publicUrl?: string
  readonly origin?: readonly string[]
  readonly issuer?: string
  readonly jwks?: string
  readonly audience?: string
  readonly scope?: readonly string[]
  readonly rolesClaim?: string
  readonly tenantClaim?: string
  readonly agentClaim?: string
  readonly accessTokenType?: true
  readonly maxSessions?: string
  readonly maxChildren?: string
  readonly idle?: string
}

/** What the gate of this proxy is made of. */
export interface GatePlan {
  /** Our own names of the servers behind it. */
  readonly servers: readonly [string, ...string[]]
  readonly config: string | undefined
  readonly policies: readonly string[] | undefined
  readonly principal: string | undefined
  readonly observeUntil: string | undefined
}

export type Upstream =
  | { readonly kind: 'http'; readonly name: string; readonly url: URL }
  | { readonly kind: 'command'; readonly name: string; readonly command: ServerCommand }

/** What the proxy is to do. */
export type Plan = { readonly gate: GatePlan; readonly timeoutMs: number | undefined } & (
  | { readonly kind: 'stdio'; readonly name: string; readonly command: ServerCommand }
  | {
      readonly kind: 'http'
      readonly host: string
      readonly port: number
      readonly upstreams: readonly Upstream[]
      readonly flags: Flags
    }
)

/** A week from now is an end of observing that anybody may take. */
const EXAMPLE_MS = 7 * 24 * 60 * 60_000
const HTTP_ONLY = [
  ['upstreamHeader', '--upstream-header'],
  ['tlsCert', '--tls-cert'],
  ['tlsKey', '--tls-key'],
  ['behindProxy', '--behind-proxy'],
  ['publicUrl', '--public-url'],
  ['origin', '--origin'],
  ['issuer', '--issuer'],
  ['jwks', '--jwks'],
  ['audience', '--audience'],
  ['scope', '--scope'],
  ['rolesClaim', '--roles-claim'],
  ['tenantClaim', '--tenant-claim'],
  ['agentClaim', '--agent-claim'],
  ['accessTokenType', '--access-token-type'],
  ['maxSessions', '--max-sessions'],
  ['maxChildren', '--max-children'],
  ['idle', '--idle'],
] as const satisfies readonly (readonly [keyof Flags, string])[]

/** @throws UnusableInput in one line */
export function readPlan(command: readonly string[], flags: Flags): Plan {
  const upstreams = upstreamsOf(command, flags)
  const [first, ...more] = upstreams
  if (first === undefined)
    throw new UnusableInput(
      'which server? after -- comes the command that starts it: holdpoint mcp --name files -- npx …',
    )
  const gate: GatePlan = {
    servers: [first.name, ...more.map(({ name }) => name)],
    config: flags.config,
    policies: flags.policy,
    principal: flags.principal,
    observeUntil: observation(flags),
  }
  const timeoutMs = flags.timeout === undefined ? undefined : 1_000 * wholeNumber('--timeout', flags.timeout, 86_400)
  if (flags.listen !== undefined) {
    return { kind: 'http', gate, timeoutMs, upstreams, flags, ...addressOf(flags.listen) }
  }
  const stray = HTTP_ONLY.find(([key]) => flags[key] !== undefined)
  if (stray !== undefined)
    throw new UnusableInput(`${stray[1]} is for HTTP: say where to listen, with --listen HOST:PORT`)
  if (first.kind === 'http')
    throw new UnusableInput('an upstream with a URL is served over HTTP: say where to listen, with --listen HOST:PORT')
  return { kind: 'stdio', gate, timeoutMs, name: first.name, command: first.command }
}

/** @returns a whole number from 1 */
export function wholeNumber(flag: string, written: string, most: number): number {
  const number = /^[1-9]\d{0,8}$/.test(written) ? Number(written) : Number.NaN
  if (number <= most) return number
  throw new UnusableInput(`${flag} must be a whole number from 1 to ${most}, not "${written}"`)
}

function upstreamsOf(command: readonly string[], { name, upstream = [] }: Flags): readonly Upstream[] {
  const remote = upstream.map(remoteOf)
  const [program, ...args] = command
  if (program === undefined && name !== undefined)
    throw new UnusableInput(`which command starts ${name}? it comes after --: holdpoint mcp --name ${name} -- npx …`)
  const local: readonly Upstream[] =
    program === undefined ? [] : [{ kind: 'command', name: nameOf(name, program), command: [program, ...args] }]
  const all = [...remote, ...local]
  const names = all.map((one) => one.name)
  const twice = names.find((one, index) => names.indexOf(one) !== index)
  if (twice !== undefined) throw new UnusableInput(`two servers cannot both be called ${twice}`)
  return all
}

function remoteOf(written: string): Upstream {
  const equals = written.indexOf('=')
  if (equals < 0)
    throw new UnusableInput(`--upstream must be NAME=URL, such as shop=https://mcp.example.com/mcp, not "${written}"`)
  const name = checkName('--upstream', written.slice(0, equals))
  const address = written.slice(equals + 1)
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UnusableInput(`--upstream ${name}: "${address}" is no http or https URL`)
  if (url.username !== '' || url.password !== '')
    throw new UnusableInput(`--upstream ${name}: credentials do not belong in a URL; use --upstream-header`)
  return { kind: 'http', name, url }
}

function nameOf(name: string | undefined, program: string): string {
  if (name !== undefined) return checkName('--name', name)
  throw new UnusableInput(
    `what do you call this server? its tools are NAME/tool in policies, pins and receipts: holdpoint mcp --name files -- ${program} …`,
  )
}

function checkName(flag: string, name: string): string {
  if (!isServerName(name)) throw new UnusableInput(`${flag}: "${name}" is no name: write ${SERVER_RULE}`)
  if (name !== DEFAULT_SERVER) return name
  throw new UnusableInput(`${flag}: "${DEFAULT_SERVER}" is what tools of one's own are called; choose another name`)
}

function observation({ observe, until }: Flags): string | undefined {
  const example = new Date(Date.now() + EXAMPLE_MS).toISOString().slice(0, 10)
  if (observe === true && until === undefined)
    throw new UnusableInput(
      `--observe needs an end: --until DATE, 30 days from now at most, such as --until ${example}`,
    )
  if (observe === undefined && until !== undefined) throw new UnusableInput('--until is for --observe')
  if (until !== undefined && Number.isNaN(Date.parse(until)))
    throw new UnusableInput(`--until must be a date, such as ${example}, not "${until}"`)
  return until
}

function addressOf(listen: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] = /^(\[[^\]]+\]|[^:]*):(\d{1,5})$/.exec(listen) ?? []
  if (host !== '' && port !== '' && Number(port) <= 65_535) return { host, port: Number(port) }
  throw new UnusableInput(`--listen must be HOST:PORT, such as 127.0.0.1:8808, not "${listen}"`)
}
