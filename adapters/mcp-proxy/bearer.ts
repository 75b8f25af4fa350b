import { metadataUrl } from './metadata.ts'

/** Longer tokens are not read. Node itself takes 16 KiB of headers in all. */
const LONGEST_TOKEN = 12_288
/** RFC 9110 section 11.1 and RFC 6750 section 2.1: the scheme in any case, one blank or more, a token68. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i
const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** The token of a request, or why there is none to check. */
export type Presented =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'no_jwt' }

/**
 * Reads the token of a request. A token elsewhere (query, form) is none.
 *
 * @param authorization `headersDistinct.authorization`; UNTRUSTED. Two are one too many: who checks which of them?
 */
export function presentedToken(authorization: readonly string[] | undefined): Presented {
  const [header, ...more] = authorization ?? []
  if (header === undefined) return { kind: 'none' }
  if (more.length > 0 || header.length > LONGEST_TOKEN) return { kind: 'malformed' }
  if (!/^bearer(?: |$)/i.test(header)) return { kind: 'none' }
  const token = BEARER.exec(header)?.[1]
  if (token === undefined) return { kind: 'malformed' }
  return COMPACT_JWS.test(token) ? { kind: 'token', token } : { kind: 'no_jwt' }
}

/** Why a request was turned away (RFC 6750 section 3.1). */
export type BearerError = 'invalid_request' | 'invalid_token' | 'insufficient_scope'

/**
 * The challenge of an answer that asks for a token or for a better one: `WWW-Authenticate: Bearer …`, with where our metadata is.
 * A request that showed no token is told of no error.
 */
export function challenge(
  resource: string,
  scopes: readonly string[],
  problem?: { readonly error: BearerError; readonly description: string },
): string {
  const parts = [
    ...(problem === undefined ? [] : [`error="${problem.error}"`, `error_description="${problem.description}"`]),
    ...(scopes.length === 0 ? [] : [`scope="${scopes.join(' ')}"`]),
    `resource_metadata="${metadataUrl(resource)}"`,
  ]
  return `Bearer ${parts.join(', ')}`
}
