import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import { canonicalText } from '../bytes/canonical.ts'
import { crockford } from '../bytes/crockford.ts'
import { sha256, sha256Bytes } from '../bytes/digest.ts'
import { HoldpointError } from '../errors.ts'
import type { JsonObject, Receipt, ReceiptSigner, Signer } from '../types.ts'
import type { ReceiptClaims } from './claims.ts'
import { RECEIPT_TYP } from './envelope.ts'
import { MOST } from './limits.ts'

const LEAF = Buffer.of(0)
/** JWS headers by signer: the same three members each time, so they are encoded once. */
const headers = new WeakMap<object, string>()

/**
 * A signer over a private key that this process holds: Ed25519 (RFC 8037, RFC 9864) or ES256 (RFC 7518 §3.4).
 *
 * Signing is synchronous, because receipts are signed in chain order on the caller's turn.
 *
 * @throws HoldpointError ERR_KEY for any other kind of key
 */
export function createSigner(privateKey: KeyObject): Signer {
  const { alg, publicJwk } = describe(privateKey)
  // RFC 7638: the required members in lexicographic order, no white space.
  const kid = sha256(canonicalText(publicJwk))
  // A key object: Node takes ten times as long over an HMAC whose key it has to look at first.
  const blindingKey = createSecretKey(
    new Uint8Array(
      hkdfSync('sha256', privateKey.export({ type: 'pkcs8', format: 'der' }), '', 'holdpoint blind/1', 32),
    ),
  )
  const signingKey = alg === 'Ed25519' ? privateKey : { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
  const digest = alg === 'Ed25519' ? null : 'sha256'
  return {
    alg,
    kid,
    publicJwk: { ...publicJwk, kid, alg, use: 'sig' },
    sign: (bytes) => sign(digest, bytes, signingKey),
    blind: (label, value) => createHmac('sha256', blindingKey).update(`${label}\u0000${value}`).digest('base64url'),
  }
}

/** A signer with a fresh Ed25519 key that lives in memory only: for tests and for stores that do not outlive the process. */
export function generateSigner(): Signer {
  return createSigner(generateKeyPairSync('ed25519').privateKey)
}

/** A signer from PEM (PKCS #8). @throws HoldpointError ERR_KEY */
export function signerFromPem(pem: string): Signer {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch (cause) {
    throw new HoldpointError('ERR_KEY', 'not an unencrypted private key in PKCS #8 PEM', { cause })
  }
  return createSigner(key)
}

/** A receipt but for its signature. Its hash is over the payload alone, so what comes behind it need not wait for that. */
export interface UnsignedReceipt extends Omit<Receipt, 'jws'> {
  /** The JWS signing input (RFC 7515 §5.1). */
  readonly signed: string
}

/**
 * Makes a receipt of its claims: canonical payload, JWS compact (RFC 7515 §7.1), hash and id.
 *
 * @throws HoldpointError ERR_ARGUMENTS where a claim has no canonical form, ERR_FORMAT when the payload is too large
 */
export function sealReceipt(signer: Signer, claims: ReceiptClaims): Receipt {
  const receipt = draftReceipt(signer, claims)
  return withSignature(receipt, signer.sign(signingInput(receipt)))
}

/** The bytes that the key signs. */
export function signingInput({ signed }: UnsignedReceipt): Uint8Array {
  return Buffer.from(signed, 'latin1')
}

/** The receipt with its signature, which is believed here. */
export function withSignature({ signed, ...receipt }: UnsignedReceipt, signature: Uint8Array): Receipt {
  return { ...receipt, jws: `${signed}.${Buffer.from(signature).toString('base64url')}` }
}

/** What is to be signed of some claims. @throws as `sealReceipt` */
export function draftReceipt(signer: Pick<ReceiptSigner, 'alg' | 'kid'>, claims: ReceiptClaims): UnsignedReceipt {
  const payload = Buffer.from(canonicalText(claims), 'utf8')
  if (payload.length > MOST.payload) {
    throw new HoldpointError('ERR_FORMAT', `a receipt may hold ${MOST.payload} bytes, this one has ${payload.length}`)
  }
  const signed = `${headerOf(signer)}.${payload.toString('base64url')}`
  const hash = sha256Bytes(Buffer.concat([LEAF, payload]))
  return {
    id: `r_${crockford(hash.subarray(0, 16))}`,
    hash: Buffer.from(hash).toString('base64url'),
    kind: claims.kind,
    stream: claims.stream,
    seq: claims.seq,
    ...(claims.prev === undefined ? {} : { prev: claims.prev }),
    signed,
  }
}

function headerOf(signer: Pick<ReceiptSigner, 'alg' | 'kid'>): string {
  const known = headers.get(signer)
  if (known !== undefined) return known
  const header = canonicalText({ alg: signer.alg, kid: signer.kid, typ: RECEIPT_TYP })
  const encoded = Buffer.from(header, 'utf8').toString('base64url')
  headers.set(signer, encoded)
  return encoded
}

function describe(privateKey: KeyObject): { readonly alg: Signer['alg']; readonly publicJwk: JsonObject } {
  if (privateKey.type !== 'private') throw new HoldpointError('ERR_KEY', 'the receipt key must be a private key')
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' })
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519' && jwk.x !== undefined) {
    return { alg: 'Ed25519', publicJwk: { crv: 'Ed25519', kty: 'OKP', x: jwk.x } }
  }
  if (jwk.kty === 'EC' && jwk.crv === 'P-256' && jwk.x !== undefined && jwk.y !== undefined) {
    return { alg: 'ES256', publicJwk: { crv: 'P-256', kty: 'EC', x: jwk.x, y: jwk.y } }
  }
  throw new HoldpointError(
    'ERR_KEY',
    `the receipt key must be Ed25519 or P-256, not ${jwk.crv ?? jwk.kty ?? 'unknown'}`,
  )
}
