import { base64url, calculateJwkThumbprint, importJWK, type JWK } from 'jose'
import { decodeBase64url } from '../bytes/base64url.ts'
import { isStrictPublicKey, isStrictSignature } from '../bytes/ed25519.ts'
import { HoldpointError } from '../errors.ts'

/** A public key as configured or exported; members other than the key's own are ignored. */
export type Jwk = Readonly<Record<string, unknown>>

/** A public key that receipts may be verified under, with the one algorithm it is good for. */
export interface TrustedKey {
  readonly kid: string
  verify(signature: Uint8Array<ArrayBuffer>, signed: Uint8Array<ArrayBuffer>): Promise<boolean>
  readonly alg: 'Ed25519' | 'ES256'
}

/**
 * Imports trusted keys. A key's id is its RFC 7638 thumbprint, worked out here: a `kid` that came with it is not believed.
 * A key with an `alg`, `use` or `key_ops` that does not fit is refused rather than bent.
 *
 * @throws HoldpointError ERR_KEY naming the position of the unusable key
 */
export async function importTrustedKeys(jwks: readonly Jwk[]): Promise<ReadonlyMap<string, TrustedKey>> {
  const keys = await Promise.all(jwks.map((jwk, index) => importTrustedKey(jwk, index)))
  return new Map(keys.map((key) => [key.kid, key]))
}

/**
 * Imports one trusted key; `index` is its position, for the error.
 *
 * @throws HoldpointError ERR_KEY
 */
export async function importTrustedKey(jwk: Jwk, index: number): Promise<TrustedKey> {
  const kind = kindOf(jwk)
  if (kind === undefined) throw unusable(index, 'is neither an Ed25519 nor a P-256 public key')
  if (jwk['alg'] !== undefined && jwk['alg'] !== kind.alg)
    throw unusable(index, `says alg ${JSON.stringify(jwk['alg'])}`)
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') throw unusable(index, 'is not for signatures')
  if (jwk['d'] !== undefined) throw unusable(index, 'is a private key; trust needs the public one alone')
  if (kind.alg === 'Ed25519' && !isStrictPublicKey(decodeBase64url(kind.jwk.x ?? '')))
    throw unusable(index, 'is no Ed25519 key that anybody could have made: not canonical, or of small order')
  try {
    const key = await importJWK(kind.jwk, kind.alg)
    if (!(key instanceof CryptoKey)) throw unusable(index, 'is not an asymmetric key')
    const kid = await calculateJwkThumbprint(kind.jwk)
    return {
      kid,
      alg: kind.alg,
      verify: async (signature, signed) =>
        (kind.alg === 'ES256' || isStrictSignature(signature)) &&
        (await crypto.subtle.verify(kind.algorithm, key, signature, signed)),
    }
  } catch (cause) {
    if (cause instanceof HoldpointError) throw cause
    throw unusable(index, 'cannot be imported', cause)
  }
}

function kindOf(
  jwk: Jwk,
):
  | { readonly alg: 'Ed25519' | 'ES256'; readonly algorithm: AlgorithmIdentifier | EcdsaParams; readonly jwk: JWK }
  | undefined {
  const { kty, crv, x, y } = jwk
  if (kty === 'OKP' && crv === 'Ed25519' && isCoordinate(x)) {
    return { alg: 'Ed25519', algorithm: 'Ed25519', jwk: { kty, crv, x } }
  }
  if (kty === 'EC' && crv === 'P-256' && isCoordinate(x) && isCoordinate(y)) {
    return { alg: 'ES256', algorithm: { name: 'ECDSA', hash: 'SHA-256' }, jwk: { kty, crv, x, y } }
  }
  return undefined
}

/** 32 bytes in canonical base64url. */
function isCoordinate(text: unknown): text is string {
  return (
    typeof text === 'string' && /^[A-Za-z0-9_-]{43}$/.test(text) && base64url.encode(base64url.decode(text)) === text
  )
}

function unusable(index: number, what: string, cause?: unknown): HoldpointError {
  return new HoldpointError('ERR_KEY', `trusted key ${index + 1} ${what}`, { at: `/${index}`, cause })
}
