import { encodeBase64url } from '../bytes/base64url.ts'
import { canonicalText } from '../bytes/canonical.ts'
import { HoldpointError } from '../errors.ts'
import type { JsonObject, Signer } from '../types.ts'
import type { KeyDraft } from './claims.ts'
import { KEY_TYP, keyProofPayload } from './key-proof.ts'
import type { Place } from './link.ts'

/**
 * What the key of a stream says of the key that comes after it: signed by the old one as a receipt, and by the new one in
 * `proof`. Whoever trusts the old key believes the new one from there on.
 *
 * @throws HoldpointError ERR_KEY when it is the same key
 */
export function keyAddition({ iss, stream, seq, kid: old }: Place, fresh: Signer): KeyDraft {
  if (fresh.kid === old) throw new HoldpointError('ERR_KEY', 'the new receipt key is the one that signs already')
  const proof = signedBy(fresh, keyProofPayload({ iss, old, new: fresh.kid, stream, seq }))
  return { kind: 'key', act: 'add', key: thumbprintMembers(fresh.publicJwk), kid: fresh.kid, proof }
}

/**
 * The end of another key's time.
 *
 * @throws HoldpointError ERR_KEY when it is the key that signs: whoever stole that must not choose where its time ends
 */
export function keyRetirement({ kid: own }: Place, kid: string): KeyDraft {
  if (kid === own)
    throw new HoldpointError('ERR_KEY', 'a receipt key is retired by its successor: rotate first, then retire it')
  return { kind: 'key', act: 'retire', kid }
}

/** JWS compact (RFC 7515 §7.1). */
function signedBy(signer: Signer, payload: string): string {
  const encode = (text: string): string => encodeBase64url(new TextEncoder().encode(text))
  const header = canonicalText({ alg: signer.alg, kid: signer.kid, typ: KEY_TYP })
  const signed = `${encode(header)}.${encode(payload)}`
  return `${signed}.${encodeBase64url(signer.sign(new TextEncoder().encode(signed)))}`
}

/** The members that RFC 7638 §3.2 hashes, and no others. */
function thumbprintMembers({ kty, crv, x, y }: JsonObject): Extract<KeyDraft, { act: 'add' }>['key'] {
  if (kty === 'OKP' && crv === 'Ed25519' && typeof x === 'string') return { kty, crv, x }
  if (kty === 'EC' && crv === 'P-256' && typeof x === 'string' && typeof y === 'string') return { kty, crv, x, y }
  throw new HoldpointError('ERR_KEY', 'the new receipt key must be Ed25519 or P-256')
}
