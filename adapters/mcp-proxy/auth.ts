/** The proxy as an OAuth 2.0 resource server: whose token is this, and is it meant for us? */
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import { HoldpointError, type Who } from '../../src/index.ts'
import { type BearerError, challenge, presentedToken } from './bearer.ts'
import { secureUrl, tokenKeys } from './token-keys.ts'
import { type ClaimNames, whoOf } from './token-who.ts'

/** Which tokens count. */
export interface TokenTerms extends ClaimNames {
  /** The issuer, letter by letter as `iss` has it. */
  readonly issuer: string
  /** Where its public keys are: a URL, or a file. */
  readonly jwks: string
  /** What `aud` must hold. Default: the URL of the very resource that is asked (RFC 8707). */
  readonly audience?: string
  /** Scopes that a token must have, all of them. */
  readonly scopes?: readonly string[]
  /** Must the token say that it is an access token (`typ: at+jwt`, RFC 9068)? Default false: many issuers write `JWT`. */
  readonly accessTokenType?: boolean
  /** How far the issuer's clock may be off, s. Default 5. */
  readonly clockToleranceS?: number
  /** For the issuer's keys to arrive, ms. Default 5000. */
  readonly deadlineMs?: number
}

/** Whether a request may go on, and on whose behalf. No field ever holds the token or a part of it. */
export type TokenVerdict =
  | { readonly ok: true; readonly who: Who }
  | {
      readonly ok: false
      readonly status: 400 | 401 | 403
      /** The value of `WWW-Authenticate`. */
      readonly wwwAuthenticate: string
      readonly because: string
    }
  | { readonly ok: false; readonly status: 503; readonly retryAfterS: number; readonly because: string }

/**
 * Checks what a request shows. Never rejects.
 *
 * @param authorization `headersDistinct.authorization` of the request, all of them
 * @param resource the URL of the server that is asked, as clients know it: `https://mcp.example.com/mcp/files`
 */
export type TokenCheck = (authorization: readonly string[] | undefined, resource: string) => Promise<TokenVerdict>

/** Signatures that only the issuer's private key can make. A shared secret is known to whoever can check with it. */
const ALGORITHMS = ['Ed25519', 'EdDSA', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512']
/** What an issuer signed for another purpose is no access token (RFC 8725 section 3.11). */
const TOKEN_TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt'])
const DEADLINE_MS = 5_000
const TOLERANCE_S = 5
const MOST_TOLERANCE_S = 300
const RETRY_AFTER_S = 5

/** What a token is told that does not count, by the library's code. What is not listed is no fault of the token. */
const FAULTS: ReadonlyMap<string, string> = new Map([
  ['ERR_JWT_EXPIRED', 'the token has expired'],
  ['ERR_JWT_INVALID', 'the token is no JWT'],
  ['ERR_JWS_INVALID', 'the token is no JWT'],
  ['ERR_JWS_SIGNATURE_VERIFICATION_FAILED', 'the signature is not one of the issuer'],
  ['ERR_JWKS_NO_MATCHING_KEY', 'the issuer has no such key'],
  ['ERR_JWKS_MULTIPLE_MATCHING_KEYS', 'the token does not say which key signed it'],
  ['ERR_JOSE_ALG_NOT_ALLOWED', 'the token is signed in a way that does not count'],
  ['ERR_JOSE_NOT_SUPPORTED', 'the token is signed in a way that does not count'],
])

/**
 * A check of bearer tokens: signature by the issuer's keys, issuer, audience, expiry and subject, always.
 *
 * Where the keys cannot be had, nobody is let in (503).
 *
 * @throws HoldpointError ERR_CONFIG for terms under which nothing could be checked
 */
export function createTokenCheck(terms: TokenTerms): TokenCheck {
  checkTerms(terms)
  const { issuer, audience, scopes = [], deadlineMs = DEADLINE_MS } = terms
  const keys = tokenKeys(terms.jwks, deadlineMs)
  const verify = async (token: string, resource: string): Promise<JWTPayload> => {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      // INVARIANT: a token for another server, or for nobody in particular, is not ours to take.
      audience: audience ?? resource,
      algorithms: ALGORITHMS,
      requiredClaims: ['iss', 'aud', 'exp', 'sub'],
      clockTolerance: terms.clockToleranceS ?? TOLERANCE_S,
    })
    return payload
  }
  return async (authorization, resource) => {
    const refuse = (status: 400 | 401 | 403, error: BearerError, because: string): TokenVerdict => {
      const problem = { error, description: because }
      return { ok: false, status, wwwAuthenticate: challenge(resource, scopes, problem), because }
    }
    const presented = presentedToken(authorization)
    switch (presented.kind) {
      case 'none':
        return { ok: false, status: 401, wwwAuthenticate: challenge(resource, scopes), because: 'no token was shown' }
      case 'malformed':
        return refuse(400, 'invalid_request', 'the Authorization header is not one Bearer token')
      case 'no_jwt':
        return refuse(401, 'invalid_token', 'the token is no JWT')
      case 'token':
        break
    }
    if (!isOfKind(presented.token, terms)) return refuse(401, 'invalid_token', 'the token is of another kind')
    let claims: JWTPayload
    try {
      claims = await within(deadlineMs, verify(presented.token, resource))
    } catch (error) {
      const fault = faultOf(error)
      if (fault !== undefined) return refuse(401, 'invalid_token', fault)
      return { ok: false, status: 503, retryAfterS: RETRY_AFTER_S, because: 'the keys of the issuer cannot be had' }
    }
    const granted = scopesOf(claims)
    if (!scopes.every((scope) => granted.has(scope)))
      return refuse(403, 'insufficient_scope', 'the token lacks a scope')
    const who = whoOf(claims, terms)
    return typeof who === 'string' ? refuse(401, 'invalid_token', who) : { ok: true, who }
  }
}

function checkTerms({
  issuer,
  audience,
  scopes = [],
  clockToleranceS = 0,
  deadlineMs = DEADLINE_MS,
}: TokenTerms): void {
  secureUrl(issuer, 'issuer')
  const wrong = (at: string, why: string): HoldpointError => new HoldpointError('ERR_CONFIG', `${at}: ${why}`, { at })
  if (audience === '') throw wrong('audience', 'must not be empty')
  if (!(clockToleranceS >= 0 && clockToleranceS <= MOST_TOLERANCE_S))
    throw wrong('clockToleranceS', `must be 0 to ${MOST_TOLERANCE_S} seconds`)
  if (!(deadlineMs > 0)) throw wrong('deadlineMs', 'must be above 0')
  const odd = scopes.find((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))
  if (odd !== undefined) throw wrong('scopes', `"${odd}" is no scope (RFC 6749 section 3.3)`)
}

/** Before anybody is asked for keys: is it signed by a key pair, and meant as a token at all? */
function isOfKind(token: string, { accessTokenType = false }: TokenTerms): boolean {
  try {
    const { alg = '', typ } = decodeProtectedHeader(token)
    if (!ALGORITHMS.includes(alg)) return false
    const type = typ?.toLowerCase().replace(/^application\//, '')
    if (accessTokenType) return type === 'at+jwt'
    return type === undefined || TOKEN_TYPES.has(type)
  } catch {
    return false
  }
}

/** What is wrong with the token; `undefined` when it is not the token that is at fault. */
function faultOf(error: unknown): string | undefined {
  if (error instanceof errors.JWTClaimValidationFailed) {
    // Its name is one that we asked for; its value stays with the token.
    return `the claim ${error.claim} of the token does not fit`
  }
  return error instanceof errors.JOSEError ? FAULTS.get(error.code) : undefined
}

/** `scope` (RFC 8693 section 4.2), or `scp` as some issuers have it. */
function scopesOf(claims: JWTPayload): ReadonlySet<string> {
  const said = claims['scope'] ?? claims['scp']
  if (typeof said === 'string') return new Set(said.split(' '))
  return new Set(Array.isArray(said) ? said.filter((one) => typeof one === 'string') : [])
}

/** The outcome of work, unless it takes longer than the deadline. */
async function within<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('too late')), deadlineMs)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
