import type { Served } from './http/serve.ts'
import type { ServeTerms, UpstreamTerms } from './http/terms.ts'

/** What `serveHttp` is told, with the upstreams' headers as they were written. */
export interface HttpTerms extends ServeTerms {
  /** Each `NAME=Header: value` or `NAME=@file`. */
  readonly upstreamHeaders: readonly string[]
}

/**
 * Serves over HTTP. Loads what it takes only when it is asked for: a proxy between pipes needs none of it.
 *
 * @throws HoldpointError ERR_CONFIG in one line
 */
export async function serveOverHttp({ upstreamHeaders, upstreams, ...terms }: HttpTerms): Promise<Served> {
  const [{ serveHttp }, { readUpstreamHeaders }] = await Promise.all([
    import('./http/serve.ts'),
    import('./upstream-credentials.ts'),
  ])
  const remote = upstreams.filter(({ kind }) => kind === 'http').map(({ name }) => name)
  const { headers, variables } = readUpstreamHeaders(upstreamHeaders, new Set(remote), process.env)
  const withCredentials = (upstream: UpstreamTerms): UpstreamTerms => {
    // INVARIANT: what one server is told is no other server's to read.
    if (upstream.kind === 'command') return { ...upstream, withheld: variables }
    const own = headers.get(upstream.name)
    return own === undefined ? upstream : { ...upstream, headers: own }
  }
  return await serveHttp({ ...terms, upstreams: upstreams.map(withCredentials) })
}
