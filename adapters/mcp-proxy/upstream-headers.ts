/** Which headers cross the proxy, in both directions. */

/** One header field; a name may come twice. */
export type HeaderField = readonly [name: string, value: string]

/** Between two neighbours only (RFC 9110 section 7.6.1), whether or not `Connection` names them. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/**
 * Of a request: what was meant for us. A token for us is no token for the upstream (MCP, "token passthrough"); `Host` and `Origin`
 * were checked here and say nothing there; the body is written anew, so its length and coding are too; and which codings of an
 * answer can be read is ours to say.
 */
const NOT_UPSTREAM: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'authorization',
  'cookie',
  'host',
  'origin',
  'expect',
  'content-length',
  'content-encoding',
  'accept-encoding',
])

/**
 * Of an answer: a challenge of the upstream would send our client's next token to somebody else, and a cookie would never come
 * back. Whose pages may read an answer, and where else it is to be had, is ours to say. The length is that of a body which may
 * have been changed.
 */
const NOT_DOWNSTREAM: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'authorization',
  'www-authenticate',
  'authentication-info',
  'set-cookie',
  'alt-svc',
  'content-length',
])
const SAYS_WHOSE_PAGES = /^access-control-/

/** What the proxy has checked against the message, or writes itself: by another spelling it would be what nobody checked. */
const DECIDES = /^(?:mcp-.*|last-event-id|accept|content-type)$/

/**
 * The headers of a request to the upstream: what the client sent, without what is ours alone, and the upstream's credentials.
 *
 * INVARIANT: the inbound `Authorization`, `Cookie` and `Proxy-Authorization` never go on. What is ours to add replaces what the
 * client sent under that name, and is added last, so that no `Connection: authorization` can take it away. An upstream behind CGI
 * or WSGI reads `_` in a name as `-`: none of these goes on in that spelling either. The answer is asked for
 * as it is (`identity`): what is compressed cannot be looked at while it streams.
 *
 * @param rawHeaders a request's `rawHeaders`: names and values in turn
 * @param own of this upstream, names in lower case, as `readUpstreamHeaders` gives them
 */
export function upstreamHeaders(
  rawHeaders: readonly string[],
  own: ReadonlyMap<string, string> = new Map(),
): readonly HeaderField[] {
  const ours = new Set([...own.keys()].map(asRead))
  const kept = without(fieldsOf(rawHeaders), NOT_UPSTREAM).filter(([name]) => {
    const read = asRead(name)
    return !ours.has(read) && !(name.includes('_') && DECIDES.test(read))
  })
  return [...kept, ...own, ['accept-encoding', 'identity']]
}

/**
 * The headers of an answer to the client. INVARIANT: an upstream that says again what it was told tells nobody our credentials.
 *
 * @param own as above
 */
export function downstreamHeaders(
  rawHeaders: readonly string[],
  own: ReadonlyMap<string, string> = new Map(),
): readonly HeaderField[] {
  const ours = new Set([...own.keys()].map(asRead))
  const kept = without(fieldsOf(rawHeaders), NOT_DOWNSTREAM)
  return kept.filter(([name]) => !ours.has(asRead(name)) && !SAYS_WHOSE_PAGES.test(asRead(name)))
}

/** A header's name as the most lenient reader has it. */
function asRead(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}

function without(fields: readonly HeaderField[], names: ReadonlySet<string>): readonly HeaderField[] {
  const named = new Set(
    fields
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) => value.split(',').map((one) => one.trim().toLowerCase())),
  )
  return fields.filter(([name]) => !names.has(asRead(name)) && !named.has(name.toLowerCase()))
}

function fieldsOf(rawHeaders: readonly string[]): readonly HeaderField[] {
  const fields: HeaderField[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) fields.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? ''])
  return fields
}
