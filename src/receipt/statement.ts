import * as z from 'zod/mini'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { canonicalText } from '../bytes/canonical.ts'
import { HoldpointError } from '../errors.ts'
import type { Signer } from '../types.ts'
import { readCanonical, readEnvelope } from './envelope.ts'
import type { TrustedKey } from './keys.ts'
import { MOST } from './limits.ts'
import { assertionClaims } from './passkey.ts'
import { strictObject } from './strict-object.ts'

/**
 * A gate's signed word for one answer of a person: who said what to which request, through which channel, having been shown what.
 * Signed by the gate's approval key, which signs nothing else. It says what the gate's host said of that person; a signature of the
 * person's own it is not, but it may hold one (`passkey`). Browser-safe.
 */

/** `typ` of a statement (RFC 8725 §3.11): a receipt is never taken for one, nor one for a receipt. */
export const STATEMENT_TYP = 'holdpoint-approval+jwt'

const text = (most: number) => z.string().check(z.maxLength(most))
const digest = z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/))
const seconds = z.int().check(z.nonnegative())

export const statementClaims = strictObject({
  v: z.literal(1),
  ref: text(64),
  /** The request digest: principal, conversation, tool, definition, arguments, environment and policy. */
  req: digest,
  /** SHA-256 of the text that the person was shown. */
  shown: digest,
  answer: z.enum(['approved', 'declined']),
  by: text(MOST.id),
  /** The role that was asked for, which the host says they have; absent on a confirmation. */
  roles: z.optional(z.readonly(z.array(text(MOST.name)).check(z.minLength(1), z.maxLength(MOST.roles)))),
  channel: text(32),
  reason: z.optional(text(MOST.reason)),
  /** What the person's own passkey signed: with the channel `webauthn`, and with no other. */
  passkey: z.optional(assertionClaims),
  /** RFC 7519 NumericDate: seconds since the Unix epoch. The answer counts for nothing from `exp` on. */
  iat: seconds,
  exp: seconds,
  /** 128 random bits, base64url. */
  jti: z.string().check(z.regex(/^[A-Za-z0-9_-]{22}$/)),
})

export type StatementClaims = z.infer<typeof statementClaims>

/** Signs a statement: canonical payload, JWS compact. @throws HoldpointError ERR_ARGUMENTS where a claim has no canonical form */
export function sealStatement(signer: Signer, claims: StatementClaims): string {
  const encoder = new TextEncoder()
  const header = encodeBase64url(
    encoder.encode(canonicalText({ alg: signer.alg, kid: signer.kid, typ: STATEMENT_TYP })),
  )
  const signed = `${header}.${encodeBase64url(encoder.encode(canonicalText(claims)))}`
  return `${signed}.${encodeBase64url(signer.sign(encoder.encode(signed)))}`
}

/** The bytes that a statement's digest is of: its payload. Empty where it is none. UNTRUSTED. */
export function statementBytes(jws: string): Uint8Array {
  try {
    return decodeBase64url(jws.split('.')[1] ?? '')
  } catch {
    return new Uint8Array()
  }
}

/**
 * What a statement says, once one of these keys is found to have signed it.
 *
 * @param jws UNTRUSTED
 * @throws HoldpointError ERR_FORMAT saying what is wrong
 */
export async function openStatement(jws: string, keys: ReadonlyMap<string, TrustedKey>): Promise<StatementClaims> {
  const { kid, alg, payload, signed, signature } = readEnvelope(jws, STATEMENT_TYP)
  const key = keys.get(kid)
  if (key === undefined) throw wrong(`is signed by ${kid}, which you do not trust with approvals`)
  if (key.alg !== alg || (await key.verify(signature, signed)) !== true)
    throw wrong('has a signature that does not hold')
  return readClaims(payload)
}

/** What somebody wrote as a statement, whoever signed it; `undefined` where it is none. UNTRUSTED. */
export function statementSays(jws: string): StatementClaims | undefined {
  try {
    return readClaims(statementBytes(jws))
  } catch {
    return undefined
  }
}

function readClaims(payload: Uint8Array): StatementClaims {
  const parsed = statementClaims.safeParse(readCanonical(payload))
  if (!parsed.success) throw wrong('does not have the members of a statement')
  return parsed.data
}

function wrong(what: string): HoldpointError {
  return new HoldpointError('ERR_FORMAT', `a statement of an approval ${what}`)
}
