import { sha256 } from '@noble/hashes/sha2.js'
import { encodeBase64url } from '../bytes/base64url.ts'
import { crockford } from '../bytes/crockford.ts'
import { HoldpointError } from '../errors.ts'
import type { ReceiptClaims } from './claims.ts'
import { type Envelope, RECEIPT_TYP, readEnvelope } from './envelope.ts'
import type { Keyring } from './keyring.ts'
import type { TrustedKey } from './keys.ts'
import { readClaims } from './read.ts'
import type { Check } from './verify-report.ts'

/** A receipt's bytes, as far as they can be told without asking who signed them. */
export interface Sighted {
  readonly envelope: Envelope
  /** SHA-256(0x00 ‖ payload): the receipt's hash, and its leaf in a log (RFC 9162 §2.1.1). */
  readonly leaf: Uint8Array
  readonly hash: string
  readonly id: string
}

/** What came of looking at one receipt by itself. */
export type Looked =
  | { readonly kind: 'read'; readonly sighted: Sighted; readonly claims: ReceiptClaims }
  /** Signed by a key that is not trusted, or not yet: a receipt before it may bring it. */
  | { readonly kind: 'stranger'; readonly sighted: Sighted }
  | { readonly kind: 'bad'; readonly check: Check; readonly why: string; readonly sighted?: Sighted }

/** Makes the checks of a receipt by itself: envelope, signature, payload. Never throws. */
export async function look(jws: unknown, keyring: Keyring): Promise<Looked> {
  const sighted = sight(jws)
  return sighted.kind === 'bad' ? sighted : await lookAgain(sighted.sighted, keyring)
}

/** The checks behind the envelope, made again when the keyring has grown. */
export async function lookAgain(sighted: Sighted, keyring: Keyring): Promise<Looked> {
  const { envelope } = sighted
  const key = keyring.find(envelope.kid)
  if (key === undefined) return { kind: 'stranger', sighted }
  let check: Check = 'signature'
  try {
    await verifySignature(envelope, key)
    check = 'payload'
    return { kind: 'read', sighted, claims: readClaims(envelope.payload) }
  } catch (cause) {
    return { kind: 'bad', check, why: whyOf(cause), sighted }
  }
}

function sight(jws: unknown): { readonly kind: 'sighted'; readonly sighted: Sighted } | Bad {
  try {
    if (typeof jws !== 'string') throw new HoldpointError('ERR_FORMAT', 'the receipt is not a string')
    const envelope = readEnvelope(jws, RECEIPT_TYP)
    const leaf = leafHash(envelope.payload)
    const id = `r_${crockford(leaf.subarray(0, 16))}`
    return { kind: 'sighted', sighted: { envelope, leaf, hash: encodeBase64url(leaf), id } }
  } catch (cause) {
    return { kind: 'bad', check: 'envelope', why: whyOf(cause) }
  }
}

type Bad = Extract<Looked, { readonly kind: 'bad' }>

async function verifySignature(envelope: Envelope, key: TrustedKey): Promise<void> {
  if (envelope.alg !== key.alg)
    throw new HoldpointError('ERR_FORMAT', `says alg ${JSON.stringify(envelope.alg)}, and the key is for ${key.alg}`)
  if ((await key.verify(envelope.signature, envelope.signed)) !== true)
    throw new HoldpointError('ERR_FORMAT', 'the signature does not match: these bytes were changed after signing')
}

/** A payload is a kilobyte: WebCrypto takes longer to be asked for its hash than JavaScript to make it. */
function leafHash(payload: Uint8Array): Uint8Array {
  const leaf = new Uint8Array(payload.length + 1)
  leaf.set(payload, 1)
  return sha256(leaf)
}

function whyOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'cannot be read'
}
