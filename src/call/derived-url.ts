import { fitsDns, withoutRootDot } from '../bytes/host.ts'
import { namedBy } from '../bytes/words.ts'
import type { JsonObject } from '../types.ts'

const namesUrl = namedBy(
  new Set('url urls uri uris href link links endpoint endpoints webhook webhooks callback origin website'.split(' ')),
)

const LONGEST_URL = 8_192
const LONGEST_SCHEME = 64
const DEFAULT_PORTS = new Map([
  ['http:', 80],
  ['https:', 443],
  ['ws:', 80],
  ['wss:', 443],
  ['ftp:', 21],
])

/** By its key, or because it starts with a scheme and two slashes. */
export function looksLikeUrl(text: string, key: string): boolean {
  return namesUrl(key) || /^\s*[a-z][a-z0-9+.-]*:[/\\]{2}/i.test(text)
}

/** What WHATWG readers strip or fold before they look for the host, and others do not. */
const AMBIGUOUS = /[\\\p{Cc}\s]/u
/** Scheme and authority, when the authority is a plain host with an optional port: no user, no escapes. */
const PLAIN_AUTHORITY = /^[a-z][a-z0-9+.-]*:\/\/(?:[\p{L}\p{M}\p{N}._-]+|\[[0-9a-f:.]+\])(?::[0-9]*)?(?:[/?#]|$)/iu

/**
 * Scheme, host, port and domains (the host and its parents) as the WHATWG URL standard reads them: lower case, punycode,
 * numeric hosts as dotted quads. A URL that carries a user, has no host or one that is longer than DNS allows, or that
 * another reader could take for another host, has empty facts and no domains.
 */
export function urlFacts(text: string): JsonObject {
  const url =
    text.length <= LONGEST_URL && !AMBIGUOUS.test(text) && PLAIN_AUTHORITY.test(text) ? parsed(text) : undefined
  const host = url === undefined ? undefined : withoutRootDot(url.hostname.toLowerCase())
  if (url === undefined || host === undefined || !fitsDns(host)) {
    return { scheme: schemeOf(text), host: '', port: 0, domains: [] }
  }
  const port = url.port === '' ? (DEFAULT_PORTS.get(url.protocol) ?? 0) : Number(url.port)
  return { scheme: url.protocol.slice(0, -1), host, port, domains: domainsOf(host) }
}

/** `a.b.example.com` → itself, `b.example.com`, `example.com`, `com`. An IP address has no parents. */
export function domainsOf(host: string): readonly string[] {
  if (host === '' || host.startsWith('[') || /^[0-9.]+$/.test(host)) return host === '' ? [] : [host]
  const domains: string[] = []
  for (let rest = host; ; rest = rest.slice(rest.indexOf('.') + 1)) {
    domains.push(rest)
    if (!rest.includes('.')) return domains
  }
}

function parsed(text: string): URL | undefined {
  return URL.parse(text) ?? undefined
}

function schemeOf(text: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase() ?? ''
  return scheme.length <= LONGEST_SCHEME ? scheme : ''
}
