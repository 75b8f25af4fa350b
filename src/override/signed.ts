import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { canonicalText } from '../bytes/canonical.ts'
import { crockford } from '../bytes/crockford.ts'
import { sha256Bytes } from '../bytes/digest.ts'
import { isObject } from '../bytes/json.ts'
import { parseStrict } from '../bytes/strict-json.ts'
import { HoldpointError } from '../errors.ts'
import type { Json, Signer } from '../types.ts'
import { checkClaims, type OverrideClaims } from './claims.ts'

/** `typ` of every signature's header (RFC 8725 §3.11): a signature over anything else is never taken for one of these. */
const OVERRIDE_TYP = 'holdpoint-override+jwt'
/** The largest file that is read, in bytes. */
export const MOST_OVERRIDE_BYTES = 16_384

const MOST_SIGNATURES = 8
/** Ed25519 and ES256 signatures are both of this size. */
const SIGNATURE_BYTES = 64
const LIMITS = { maxDepth: 8, maxNodes: 512, maxBytes: MOST_OVERRIDE_BYTES }

/** One signature. Nothing is verified yet. */
export interface OverrideSignature {
  readonly alg: string
  readonly kid: string
  readonly signature: Uint8Array<ArrayBuffer>
  /** What the signature covers (RFC 7515 §5.1). */
  readonly signed: Uint8Array<ArrayBuffer>
}

/** An override with the signatures that came along. */
export interface SignedOverride {
  /** `ov_` and the first 16 bytes of `digest` in Crockford base32. */
  readonly id: string
  /** SHA-256 of the payload. */
  readonly digest: string
  readonly claims: OverrideClaims
  /** Each of another key. */
  readonly signatures: readonly OverrideSignature[]
}

/**
 * Signs an override: JWS in its general JSON serialisation (RFC 7515 §7.2.1) over the RFC 8785 bytes of the claims.
 *
 * @throws HoldpointError ERR_FORMAT naming the claim that does not fit
 */
export function signOverride(claims: OverrideClaims, signer: Signer): string {
  readClaims(claims)
  const payload = encodeBase64url(new TextEncoder().encode(canonicalText(claims)))
  return canonicalText({ payload, signatures: [signatureOf(payload, signer)] })
}

/**
 * Adds a signature of another key.
 *
 * @throws HoldpointError ERR_FORMAT when the text is no override, or this key has signed it already
 */
export function countersign(text: string, signer: Signer): string {
  const { signatures } = readOverride(text)
  if (signatures.some(({ kid }) => kid === signer.kid)) throw malformed('is signed by this key already')
  if (signatures.length >= MOST_SIGNATURES) throw malformed(`may have ${MOST_SIGNATURES} signatures`)
  const { payload, signatures: written } = readFile(text)
  return canonicalText({ payload, signatures: [...written, signatureOf(payload, signer)] })
}

/**
 * Reads an override so strictly that what was signed and what is read cannot differ: canonical JSON and canonical base64url
 * throughout, headers of exactly `alg`, `kid` and `typ`, each key once.
 *
 * UNTRUSTED: `text` is whatever somebody put into a file. Nothing is verified here.
 *
 * @throws HoldpointError ERR_FORMAT
 */
export function readOverride(text: string): SignedOverride {
  const { payload, signatures } = readFile(text)
  const bytes = decodeBase64url(payload)
  const digest = sha256Bytes(bytes)
  const read = signatures.map((one) => readSignature(payload, one))
  if (new Set(read.map(({ kid }) => kid)).size !== read.length) throw malformed('has two signatures of one key')
  return {
    id: `ov_${crockford(digest.subarray(0, 16))}`,
    digest: encodeBase64url(digest),
    claims: readClaims(parseCanonical(bytes)),
    signatures: read,
  }
}

interface WrittenSignature {
  readonly protected: string
  readonly signature: string
}

function signatureOf(payload: string, signer: Signer): WrittenSignature {
  const header = encodeBase64url(
    new TextEncoder().encode(canonicalText({ alg: signer.alg, kid: signer.kid, typ: OVERRIDE_TYP })),
  )
  return { protected: header, signature: encodeBase64url(signer.sign(signedBytes(header, payload))) }
}

function readFile(text: string): { readonly payload: string; readonly signatures: readonly WrittenSignature[] } {
  const { payload, signatures } = membersOf(parseCanonical(text), ['payload', 'signatures'])
  if (typeof payload !== 'string' || !Array.isArray(signatures)) throw malformed('is not a JWS with signatures')
  if (signatures.length === 0 || signatures.length > MOST_SIGNATURES)
    throw malformed(`must have 1 to ${MOST_SIGNATURES} signatures`)
  return { payload, signatures: signatures.map(writtenSignature) }
}

function writtenSignature(value: Json): WrittenSignature {
  const { protected: header, signature } = membersOf(value, ['protected', 'signature'])
  if (typeof header !== 'string' || typeof signature !== 'string') throw malformed('has a signature without its parts')
  return { protected: header, signature }
}

function readSignature(payload: string, written: WrittenSignature): OverrideSignature {
  const { alg, kid, typ } = membersOf(parseCanonical(decodeBase64url(written.protected)), ['alg', 'kid', 'typ'])
  if (typeof alg !== 'string' || typeof kid !== 'string') throw malformed('has a header without alg and kid')
  if (typ !== OVERRIDE_TYP) throw malformed(`has typ ${JSON.stringify(typ)}, not ${JSON.stringify(OVERRIDE_TYP)}`)
  const signature = decodeBase64url(written.signature)
  if (signature.length !== SIGNATURE_BYTES) throw malformed('has a signature of the wrong size')
  return { alg, kid, signature, signed: signedBytes(written.protected, payload) }
}

function signedBytes(header: string, payload: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${header}.${payload}`)
}

function readClaims(value: unknown): OverrideClaims {
  const checked = checkClaims(value)
  if ('claims' in checked) return checked.claims
  const { at, because } = checked.fault
  throw new HoldpointError('ERR_FORMAT', `the override ${at === '' ? '' : `at ${at} `}${because}`, { at })
}

/** Duplicate members, other spellings of a number and unordered members all end here. */
function parseCanonical(bytes: string | Uint8Array): Json {
  const value = parseStrict(bytes, LIMITS)
  const text = typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  if (canonicalText(value, LIMITS) !== text) throw malformed('is not canonical JSON')
  return value
}

/** The members of an object that has exactly these. */
function membersOf<K extends string>(value: Json, names: readonly K[]): { readonly [name in K]?: Json } {
  const members = isObject(value) ? Object.entries(value) : []
  if (members.length === names.length && members.every(([name]) => names.some((known) => known === name)))
    return Object.fromEntries(members) as { readonly [name in K]?: Json }
  throw malformed(`must have exactly ${names.join(', ')}`)
}

function malformed(what: string): HoldpointError {
  return new HoldpointError('ERR_FORMAT', `the override ${what}`)
}
