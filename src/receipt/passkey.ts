import { sha256 } from '@noble/hashes/sha2.js'
import * as z from 'zod/mini'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { canonicalText } from '../bytes/canonical.ts'
import { parseStrict } from '../bytes/strict-json.ts'
import type { PasskeyAssertion } from '../types.ts'
import type { TrustedKey } from './keys.ts'
import { strictObject } from './strict-object.ts'

/**
 * What a person's passkey signed, checked as Web Authentication Level 3 §7.2 has it: at the gate when somebody answers and when the
 * answer is used, and offline by whoever verifies receipts. No attestation and no CBOR: the operator registered the public key.
 * Browser-safe.
 */

const base64url = (most: number) => z.string().check(z.maxLength(most), z.regex(/^[A-Za-z0-9_-]+$/))

/** An assertion as a statement holds it. */
export const assertionClaims = strictObject({
  /** 1023 bytes at most (§5.1). */
  credentialId: base64url(1_364),
  authenticatorData: base64url(1_024),
  clientDataJSON: base64url(4_096),
  signature: base64url(128),
})

/** All that a yes or a no is about, and so all that the person's signature is of. */
export interface AnswerSigned {
  readonly ref: string
  /** The request digest. */
  readonly req: string
  readonly shown: string
  readonly answer: 'approved' | 'declined'
  readonly reason?: string | undefined
}

/** Whose assertion it must be, and from where. */
export interface PasskeyTerms {
  readonly key: TrustedKey
  readonly rpId: string
  readonly origin: string
  /** As `passkeyChallenge` makes it. */
  readonly challenge: string
}

/** What an assertion shows. `about`: it is somebody's, but of another answer; `by`: it is not this person's signature, there. */
export type AssertionFinding =
  | { readonly holds: true; readonly signCount: number }
  | { readonly holds: false; readonly fault: 'about' | 'by'; readonly why: string }

const CLIENT_DATA = { maxDepth: 4, maxNodes: 32, maxBytes: 4_096 }
/** §6.1: the hash of the RP ID, a byte of flags, the counter. */
const [FLAGS_AT, COUNTER_AT, LEAST_BYTES] = [32, 33, 37]
const FLAG = {
  userPresent: 0x01,
  userVerified: 0x04,
  backupEligible: 0x08,
  backedUp: 0x10,
  attested: 0x40,
  extended: 0x80,
}
const INTEGER = 0x02
const SEQUENCE = 0x30
const SCALAR_BYTES = 32
const UTF8 = new TextEncoder()

/**
 * The challenge that a passkey signs for an answer: base64url of the SHA-256 of its canonical JSON. A page works it out of what
 * stands on it. The reference is of one request, so no other request's assertion fits.
 */
export function passkeyChallenge({ ref, req, shown, answer, reason }: AnswerSigned): string {
  const signed = {
    v: 1,
    typ: 'holdpoint-passkey',
    ref,
    req,
    shown,
    answer,
    ...(reason === undefined ? {} : { reason }),
  }
  return encodeBase64url(sha256(UTF8.encode(canonicalText(signed))))
}

/**
 * Is it this person's own signature of this answer? The person was there and verified (UP, UV), on a page of this origin, under this
 * RP ID. Never throws.
 *
 * UNTRUSTED: the assertion is whatever somebody posted, or put into a store or a bundle.
 */
export async function checkAssertion(assertion: PasskeyAssertion, terms: PasskeyTerms): Promise<AssertionFinding> {
  try {
    const client = decodeBase64url(assertion.clientDataJSON)
    const authenticator = decodeBase64url(assertion.authenticatorData)
    const objection = clientObjection(client, terms) ?? authenticatorObjection(authenticator, terms.rpId)
    if (objection !== undefined) return objection
    const signature = signatureFor(terms.key, decodeBase64url(assertion.signature))
    if (signature === undefined) return not('by', 'its signature is none of its algorithm')
    const signed = new Uint8Array([...authenticator, ...sha256(client)])
    // INVARIANT I4: only the literal truth.
    if ((await terms.key.verify(signature, signed)) !== true) return not('by', 'its signature does not hold')
    return { holds: true, signCount: new DataView(authenticator.buffer).getUint32(COUNTER_AT) }
  } catch {
    return not('by', 'it cannot be read')
  }
}

/** §7.2, steps 9 to 14. @throws where the client's data are no JSON */
function clientObjection(bytes: Uint8Array, { origin, challenge }: PasskeyTerms): AssertionFinding | undefined {
  const data = parseStrict(bytes, CLIENT_DATA)
  const members = new Map(Object.entries(typeof data === 'object' && data !== null ? data : {}))
  if (members.get('type') !== 'webauthn.get') return not('by', 'it was not made to sign in')
  // INVARIANT I3: the person signed these very words, about this very request.
  if (members.get('challenge') !== challenge)
    return not('about', 'another answer, or one to another request, was signed')
  if (members.get('origin') !== origin) return not('by', 'it was made on a page of another origin')
  const isFramed = (members.get('crossOrigin') ?? false) !== false || members.has('topOrigin')
  return isFramed ? not('by', 'it was made inside a page of another origin') : undefined
}

/** §7.2, steps 15 to 18. */
function authenticatorObjection(bytes: Uint8Array, rpId: string): AssertionFinding | undefined {
  const flags = bytes[FLAGS_AT] ?? 0
  const has = (flag: number): boolean => (flags & flag) === flag
  const isWhole = has(FLAG.extended) ? bytes.length > LEAST_BYTES : bytes.length === LEAST_BYTES
  if (!isWhole || has(FLAG.attested)) return not('by', 'its authenticator’s data have not the form of an assertion')
  if (!sha256(UTF8.encode(rpId)).every((byte, at) => byte === bytes[at]))
    return not('by', 'it is of another relying party')
  if (!has(FLAG.userPresent)) return not('by', 'nobody was there')
  if (!has(FLAG.userVerified)) return not('by', 'the person was not verified')
  return has(FLAG.backedUp) && !has(FLAG.backupEligible) ? not('by', 'its flags contradict each other') : undefined
}

/** As WebCrypto takes it: an ECDSA signature comes in DER (§6.5.5). */
function signatureFor({ alg }: TrustedKey, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  return alg === 'Ed25519' ? bytes : rawEcdsa(bytes)
}

/** `SEQUENCE { r INTEGER, s INTEGER }` in its one DER spelling, as r and s of 32 bytes each. */
function rawEcdsa(der: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2) return undefined
  const r = integerAt(der, 2)
  const s = r === undefined ? undefined : integerAt(der, r.end)
  if (r === undefined || s === undefined || s.end !== der.length) return undefined
  const raw = new Uint8Array(2 * SCALAR_BYTES)
  raw.set(r.bytes, SCALAR_BYTES - r.bytes.length)
  raw.set(s.bytes, 2 * SCALAR_BYTES - s.bytes.length)
  return raw
}

function integerAt(der: Uint8Array, at: number): { readonly bytes: Uint8Array; readonly end: number } | undefined {
  const length = der[at + 1] ?? 0
  const end = at + 2 + length
  if (der[at] !== INTEGER || length === 0 || end > der.length) return undefined
  const [first = 0, second = 0] = der.subarray(at + 2, end)
  const isPadded = length > 1 && first === 0
  // Negative, or longer than it needs to be.
  if (first >= 0x80 || (isPadded && second < 0x80)) return undefined
  const bytes = der.subarray(isPadded ? at + 3 : at + 2, end)
  return bytes.length <= SCALAR_BYTES ? { bytes, end } : undefined
}

function not(fault: 'about' | 'by', why: string): AssertionFinding {
  return { holds: false, fault, why }
}
