import { readFileSync } from 'node:fs'
import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'
import { HoldpointError } from '../../src/index.ts'
import { isLoopback } from './listen-rules.ts'

/** A key set holds public keys of signatures alone: a secret in it is somebody's mistake, and is said so. */
const keySet = z.object({
  keys: z.array(z.looseObject({ kty: z.enum(['RSA', 'EC', 'OKP']), d: z.undefined().optional() })).min(1),
})

/**
 * The public keys that tokens are checked with: a JWK Set, fetched from a URL or read once from a file (RFC 7517).
 *
 * A fetched set is kept for ten minutes, and fetched again for a key that it does not name, twice a minute at most.
 *
 * @param source `https://…`, plain `http://` on this machine alone; or a path
 * @throws HoldpointError ERR_CONFIG
 */
export function tokenKeys(source: string, timeoutMs: number): JWTVerifyGetKey {
  if (/^https?:/i.test(source)) return createRemoteJWKSet(secureUrl(source, 'jwks'), { timeoutDuration: timeoutMs })
  return createLocalJWKSet(readKeys(source))
}

/**
 * A URL that nobody on the way can speak for.
 *
 * @param at what it is, for the message
 * @throws HoldpointError ERR_CONFIG
 */
export function secureUrl(text: string, at: string): URL {
  const url = URL.parse(text)
  if (url === null) throw new HoldpointError('ERR_CONFIG', `${at}: "${text}" is no URL`, { at })
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return url
  throw new HoldpointError('ERR_CONFIG', `${at}: ${text} must be https, or plain http on this machine`, { at })
}

function readKeys(path: string): JSONWebKeySet {
  try {
    const written: unknown = JSON.parse(readFileSync(path, 'utf8'))
    keySet.parse(written)
    return written as JSONWebKeySet
  } catch (cause) {
    const why = cause instanceof z.ZodError ? 'is no set of public RSA, EC or OKP keys' : `cannot be read`
    const code = (cause as { readonly code?: string }).code
    throw new HoldpointError('ERR_CONFIG', `jwks: ${path} ${why}${code === undefined ? '' : ` (${code})`}`, {
      at: path,
    })
  }
}
