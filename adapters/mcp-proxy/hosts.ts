import { isLoopback } from './listen-rules.ts'

/** Under which names the proxy answers, and to the pages of which sites. All lower case. */
export interface AllowedNames {
  /** Values of `Host`: `localhost:8808`. */
  readonly hosts: ReadonlySet<string>
  /** Values of `Origin`: `http://localhost:8808`. */
  readonly origins: ReadonlySet<string>
}

/** What the names follow from. */
export interface OwnAddress {
  readonly host: string
  /** The port that was really opened. */
  readonly port: number
  readonly tls: boolean
  /** How clients reach the proxy, where that is not the address it listens on: the reverse proxy's address, or a DNS name. */
  readonly publicUrl?: URL
  /** Further sites whose pages may call: `https://console.example.com`. */
  readonly origins?: readonly string[]
}

/** Our own names: the address, this machine's names for it, and how the public reaches it. Pages of our own origins may call. */
export function allowedNames({ host, port, tls, publicUrl, origins = [] }: OwnAddress): AllowedNames {
  const scheme = tls ? 'https' : 'http'
  const local = isLoopback(host) || isWildcard(host) ? ['127.0.0.1', 'localhost', '[::1]'] : []
  const names = isWildcard(host) ? local : [...local, inBrackets(host).toLowerCase()]
  const isUsualPort = port === (tls ? 443 : 80)
  const hosts = names.flatMap((name) => [`${name}:${port}`, ...(isUsualPort ? [name] : [])])
  const own = hosts.map((name) => `${scheme}://${name}`)
  return {
    hosts: new Set([...hosts, ...(publicUrl === undefined ? [] : hostValues(publicUrl))]),
    origins: new Set([
      ...own,
      ...(publicUrl === undefined ? [] : [publicUrl.origin]),
      ...origins.map((origin) => origin.toLowerCase()),
    ]),
  }
}

/** Why a request is answered with 403 and not read; neither text holds a word of the request. */
export interface Stranger {
  /** To whoever sent it. */
  readonly because: string
  /** To the operator: what to do where this is a client of theirs. */
  readonly remedy: string
}

/**
 * Turns away requests that a web page sent to a name which only pretends to be ours (DNS rebinding), or that come from a site we
 * do not know (MCP 2025-11-25, Streamable HTTP: an invalid Origin is answered by 403). To be asked before a body is read.
 *
 * @param headers a request's `headersDistinct`: `headers` keeps the first of two Hosts and says nothing of the second
 * @returns `undefined` when the request may go on
 */
export function checkHostAndOrigin(
  headers: Readonly<Record<string, readonly string[] | undefined>>,
  allowed: AllowedNames,
): Stranger | undefined {
  const [host, ...moreHosts] = headers['host'] ?? []
  // UNTRUSTED: a browser writes the name that a hostile site chose.
  if (host === undefined || moreHosts.length > 0 || !allowed.hosts.has(host.toLowerCase())) {
    return {
      because: 'the Host header names another server than this one',
      remedy: 'name the address that your clients use with --public-url',
    }
  }
  const [origin, ...moreOrigins] = headers['origin'] ?? []
  if (moreOrigins.length > 0 || (origin !== undefined && !allowed.origins.has(origin.toLowerCase()))) {
    return {
      because: 'pages of this Origin may not call this server',
      remedy: 'name the sites whose pages may with --origin',
    }
  }
  return undefined
}

function isWildcard(host: string): boolean {
  return host === '' || host === '*' || host === '0.0.0.0' || host === '::' || host === '[::]'
}

/** As a URL has it: an IPv6 address stands in brackets. */
export function inBrackets(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

/** A client may write the usual port or leave it out. */
function hostValues({ protocol, hostname, port, host }: URL): readonly string[] {
  return port === '' ? [host, `${hostname}:${protocol === 'https:' ? 443 : 80}`] : [host]
}
