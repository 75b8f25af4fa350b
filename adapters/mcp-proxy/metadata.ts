/** What a client must know to get a token for one of our servers. */
export interface ResourceTerms {
  /** The server's URL as clients reach it: `https://mcp.example.com/mcp/files`. */
  readonly resource: string
  /** The authorization server's issuer identifier. */
  readonly issuer: string
  readonly scopes?: readonly string[]
}

/** OAuth 2.0 Protected Resource Metadata (RFC 9728 section 2). */
export interface ResourceMetadata {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly scopes_supported?: readonly string[]
  readonly bearer_methods_supported: readonly ['header']
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

/**
 * Our own metadata document. Never the upstream's: its resource is another one, and a client that follows the rules refuses a
 * document whose `resource` is not what it asked (RFC 9728 section 3.3).
 */
export function resourceMetadata({ resource, issuer, scopes = [] }: ResourceTerms): ResourceMetadata {
  return {
    resource,
    authorization_servers: [issuer],
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
  }
}

/** Where the document of a resource is served: `/mcp/files` has its own below the well-known path (RFC 9728 section 3.1). */
export function metadataPath(resourcePath: string): string {
  return resourcePath === '/' ? WELL_KNOWN : `${WELL_KNOWN}${resourcePath}`
}

/** The full URL of the document, as the challenge of a 401 names it (RFC 9728 section 5.1). */
export function metadataUrl(resource: string): string {
  const url = new URL(resource)
  return `${url.origin}${metadataPath(url.pathname)}${url.search}`
}

/** The path of the resource that a request for metadata is about, or `undefined` when it asks for something else. */
export function resourcePathOf(path: string): string | undefined {
  if (path === WELL_KNOWN) return '/'
  return path.startsWith(`${WELL_KNOWN}/`) ? path.slice(WELL_KNOWN.length) : undefined
}
