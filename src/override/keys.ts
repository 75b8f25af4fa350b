import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { decodeBase64url } from '../bytes/base64url.ts'
import { canonicalText } from '../bytes/canonical.ts'
import { sha256 } from '../bytes/digest.ts'
import { HoldpointError } from '../errors.ts'
import type { JsonObject } from '../types.ts'

/** A public key that may sign overrides, with the one algorithm it is good for. */
export interface OverrideKey {
  /** RFC 7638 thumbprint, worked out here: a `kid` that came with the key is not believed. */
  readonly kid: string
  readonly alg: 'Ed25519' | 'ES256'
  verify(signature: Uint8Array, signed: Uint8Array): boolean
}

/** Keys by `kid`. */
export type OverrideKeys = ReadonlyMap<string, OverrideKey>

/**
 * The keys of `trust.override`: Ed25519 (RFC 8037) or ES256 (RFC 7518 §3.4). None means that overrides are off.
 *
 * @param receiptKid the gate's own receipt key: a gate that could sign overrides would need no person
 * @throws HoldpointError ERR_CONFIG naming the position of the key that cannot be used, at start
 */
export function overrideKeys(jwks: readonly JsonObject[], receiptKid?: string): OverrideKeys {
  const keys = jwks.map(importKey)
  const own = keys.findIndex(({ kid }) => kid === receiptKid)
  if (own >= 0) throw unusable(own, "is this gate's own receipt key: an override must be signed by somebody else")
  return new Map(keys.map((key) => [key.kid, key]))
}

function importKey(jwk: JsonObject, index: number): OverrideKey {
  const kind = kindOf(jwk)
  if (kind === undefined) throw unusable(index, 'is neither an Ed25519 nor a P-256 public key')
  const { alg, members } = kind
  if (jwk['d'] !== undefined) throw unusable(index, 'is a private key; trust needs the public one alone')
  if (jwk['alg'] !== undefined && jwk['alg'] !== alg) throw unusable(index, `says alg ${JSON.stringify(jwk['alg'])}`)
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') throw unusable(index, 'is not for signatures')
  let key: KeyObject
  try {
    for (const coordinate of [members.x, members.y]) if (coordinate !== undefined) decodeBase64url(coordinate)
    key = createPublicKey({ key: { ...members }, format: 'jwk' })
  } catch (cause) {
    throw unusable(index, 'cannot be read', cause)
  }
  const kid = sha256(canonicalText(members))
  if (alg === 'Ed25519') return { kid, alg, verify: (signature, signed) => verify(null, signed, key, signature) }
  const raw = { key, dsaEncoding: 'ieee-p1363' } as const
  return { kid, alg, verify: (signature, signed) => verify('sha256', signed, raw, signature) }
}

/** The members that make the key what it is, and so its thumbprint. */
interface Members {
  readonly crv: string
  readonly kty: string
  readonly x: string
  readonly y?: string
}

function kindOf(jwk: JsonObject): { readonly alg: OverrideKey['alg']; readonly members: Members } | undefined {
  const { kty, crv, x, y } = jwk
  if (typeof x !== 'string') return undefined
  if (kty === 'OKP' && crv === 'Ed25519') return { alg: 'Ed25519', members: { crv, kty, x } }
  if (kty === 'EC' && crv === 'P-256' && typeof y === 'string') return { alg: 'ES256', members: { crv, kty, x, y } }
  return undefined
}

function unusable(index: number, what: string, cause?: unknown): HoldpointError {
  return new HoldpointError('ERR_CONFIG', `trust.override: key ${index + 1} ${what}`, { at: 'trust.override', cause })
}
