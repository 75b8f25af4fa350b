import { decodeBase64url } from '../bytes/base64url.ts'
import { canonicalText } from '../bytes/canonical.ts'
import { parseStrict } from '../bytes/strict-json.ts'
import { HoldpointError } from '../errors.ts'
import { MOST } from './limits.ts'

/** `typ` of every receipt's header (RFC 7515 §4.1.9, RFC 8725 §3.11). */
export const RECEIPT_TYP = 'holdpoint-receipt+jwt'

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/
const MOST_HEADER_BYTES = 256
/** Ed25519 and ES256 signatures are both of this size. */
const SIGNATURE_BYTES = 64
const LIMITS = { maxDepth: 8, maxNodes: 4_096, maxBytes: MOST.payload }
/** Made once: to make one takes longer than to read a receipt with it. */
const [FROM_UTF8, TO_UTF8] = [new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }), new TextEncoder()]

/** A receipt's three parts, each in its one spelling. Nothing is verified yet. */
export interface Envelope {
  readonly alg: string
  readonly kid: string
  readonly payload: Uint8Array<ArrayBuffer>
  readonly signature: Uint8Array<ArrayBuffer>
  /** What the signature covers (RFC 7515 §5.1). */
  readonly signed: Uint8Array<ArrayBuffer>
}

/**
 * Reads a JWS compact serialisation so strictly that a receipt has exactly one string: canonical base64url in every part,
 * and a header of exactly `alg`, `kid` and `typ` in canonical JSON. With that, `jwk`, `jku`, `x5c`, `crit` and `b64` have no
 * place to stand.
 *
 * UNTRUSTED: `jws` is whatever somebody put into a file.
 *
 * @throws HoldpointError ERR_FORMAT
 */
export function readEnvelope(jws: string, typ: string): Envelope {
  if (jws.length > MOST.payload * 2) throw malformed('is too long')
  const parts = COMPACT.exec(jws)
  if (parts === null) throw malformed('is not three base64url parts')
  const [, header = '', payload = '', signature = ''] = parts
  const { alg, kid, typ: found } = headerOf(header)
  if (found !== typ) throw malformed(`has typ ${JSON.stringify(found)}, not ${JSON.stringify(typ)}`)
  const payloadBytes = decodeBase64url(payload)
  if (payloadBytes.length > MOST.payload) throw malformed('has too large a payload')
  const signatureBytes = decodeBase64url(signature)
  if (signatureBytes.length !== SIGNATURE_BYTES) throw malformed('has a signature of the wrong size')
  return {
    alg,
    kid,
    payload: payloadBytes,
    signature: signatureBytes,
    signed: TO_UTF8.encode(`${header}.${payload}`),
  }
}

/**
 * Parses a payload and requires it to be canonical: duplicate members, other spellings of a number and unordered members
 * all end here, so that what was signed and what is read cannot differ.
 *
 * @throws HoldpointError ERR_FORMAT
 */
export function readCanonical(payload: Uint8Array): unknown {
  const text = FROM_UTF8.decode(payload)
  const known = canonicalValue(text)
  if (known !== undefined) return known
  // What is wrong with it is for the strict reader to say.
  const value = parseStrict(text, LIMITS)
  if (canonicalText(value, LIMITS) !== text) throw malformed('has a payload that is not canonical JSON')
  return value
}

/**
 * The value of a text that is canonical, whoever reads it.
 *
 * INVARIANT I6: a lax reader keeps the last of two members and rounds numbers, but then what it read is not written like this
 * text: the one canonical text of a value is no other value's, and the writer takes nothing that a strict reader would refuse.
 */
function canonicalValue(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return canonicalText(value, LIMITS) === text ? value : undefined
  } catch {
    return undefined
  }
}

interface Header {
  readonly alg: string
  readonly kid: string
  readonly typ: string
}

/** The header that was read last: one key's receipts all have the same, and a text has one meaning. */
let last: { readonly text: string; readonly header: Header } | undefined

function headerOf(text: string): Header {
  if (last?.text !== text) last = { text, header: readHeader(decodeBase64url(text)) }
  return last.header
}

function readHeader(bytes: Uint8Array): Header {
  if (bytes.length > MOST_HEADER_BYTES) throw malformed('has too large a header')
  const header = readCanonical(bytes)
  if (typeof header !== 'object' || header === null) throw malformed('has a header that is not an object')
  const members = new Map(Object.entries(header))
  const [alg, kid, typ] = [members.get('alg'), members.get('kid'), members.get('typ')]
  if (members.size !== 3 || typeof alg !== 'string' || typeof kid !== 'string' || typeof typ !== 'string') {
    throw malformed('must have a header of exactly alg, kid and typ')
  }
  return { alg, kid, typ }
}

function malformed(what: string): HoldpointError {
  return new HoldpointError('ERR_FORMAT', `the receipt ${what}`)
}
