import { decodeBase64url } from '../bytes/base64url.ts'
import { canonicalText } from '../bytes/canonical.ts'
import { sha256 } from '../bytes/digest.ts'
import { isStrictPublicKey } from '../bytes/ed25519.ts'
import { HoldpointError } from '../errors.ts'
import type { Clock, JsonObject, ReceiptSigner, RemoteSigner, Signer } from '../types.ts'
import { importTrustedKey, type TrustedKey } from './keys.ts'
import type { Schedule } from './pending-writes.ts'

/** How long a key that is elsewhere may take where nobody says, ms. */
export const DEFAULT_SIGNER_MS = 3_000

/**
 * A key that is elsewhere, as a gate uses it: asked under a deadline, and believed when its signature verifies.
 *
 * INVARIANT I6: a receipt that was acknowledged verifies under the key that it names, so no signature is passed on unseen.
 *
 * @param terms `blind` hashes what may be guessed: the remote key cannot, and nothing that it signs may leak it
 * @throws HoldpointError ERR_KEY for a public key that no receipt can be signed with
 */
export function remoteSigner(
  remote: RemoteSigner,
  terms: {
    readonly blind: Signer['blind']
    readonly deadlineMs: number
    readonly clock: Clock
    readonly schedule: Schedule
  },
): ReceiptSigner {
  const { alg, members } = describe(remote.publicJwk)
  // RFC 7638.
  const kid = sha256(canonicalText(members))
  if (remote.alg !== undefined && remote.alg !== alg) throw unusable(`is a key of ${alg}, not of ${remote.alg}`)
  if (remote.kid !== undefined && remote.kid !== kid)
    throw unusable(`has the RFC 7638 thumbprint ${kid}, and "kid" says another: leave "kid" out`)
  let known: Promise<TrustedKey> | undefined
  return {
    alg,
    kid,
    publicJwk: { ...members, kid, alg, use: 'sig' },
    blind: terms.blind,
    sign: async (bytes) => {
      const signature = await within(terms, (signal) => remote.sign(Uint8Array.from(bytes), { signal }))
      // UNTRUSTED: what came back may be anything, and by any key.
      if (!(signature instanceof Uint8Array)) throw failure('gave something else than bytes')
      known ??= importTrustedKey(members, 0)
      const isGood = await (await known).verify(Uint8Array.from(signature), Uint8Array.from(bytes))
      if (isGood !== true)
        throw failure(
          `gave a signature that does not verify under its public key (${kid}): is it that key, and ${FORM[alg]}?`,
        )
      return signature
    },
  }
}

const FORM = {
  Ed25519: 'Ed25519 over the bytes themselves',
  ES256: 'ECDSA over their SHA-256, as r ‖ s and not DER',
} as const

/** An answer in time, or none. The clock decides: a timer is late when the event loop was held up. */
async function within(
  { deadlineMs, clock, schedule }: { readonly deadlineMs: number; readonly clock: Clock; readonly schedule: Schedule },
  ask: (signal: AbortSignal) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const waiting = new AbortController()
  const dueAt = clock.monotonic() + deadlineMs
  const { promise: late, reject } = Promise.withResolvers<never>()
  const callOff = schedule(deadlineMs, () => reject(tooLate(deadlineMs)))
  try {
    const answer = await Promise.race([asked(() => ask(waiting.signal)), late])
    if (clock.monotonic() > dueAt) throw tooLate(deadlineMs)
    return answer
  } catch (cause) {
    waiting.abort()
    if (cause instanceof HoldpointError && cause.code === 'ERR_SIGNER') throw cause
    // What it says may name accounts and keys: it is beside the message, and not in it.
    throw failure('failed', cause)
  } finally {
    callOff()
  }
}

async function asked(ask: () => Promise<Uint8Array>): Promise<Uint8Array> {
  return await ask()
}

function describe(jwk: JsonObject): { readonly alg: Signer['alg']; readonly members: JsonObject } {
  const { kty, crv, x, y, d } = jwk
  if (d !== undefined) throw unusable('comes with its private part: give the public one alone')
  if (kty === 'OKP' && crv === 'Ed25519' && isStrictPublicKey(coordinate(x))) {
    return { alg: 'Ed25519', members: { crv, kty, x: x as string } }
  }
  if (kty === 'EC' && crv === 'P-256' && coordinate(x).length === 32 && coordinate(y).length === 32) {
    return { alg: 'ES256', members: { crv, kty, x: x as string, y: y as string } }
  }
  throw unusable('is no public JWK of Ed25519 or P-256: {kty: OKP, crv: Ed25519, x} or {kty: EC, crv: P-256, x, y}')
}

function coordinate(text: unknown): Uint8Array {
  try {
    return decodeBase64url(typeof text === 'string' ? text : '')
  } catch {
    return new Uint8Array()
  }
}

function tooLate(ms: number): HoldpointError {
  return failure(`did not answer within ${ms} ms`)
}

function failure(what: string, cause?: unknown): HoldpointError {
  return new HoldpointError('ERR_SIGNER', `the signer of receipts ${what}`, { cause })
}

function unusable(what: string): HoldpointError {
  return new HoldpointError('ERR_KEY', `createGate options: "receipts.signer" ${what}`, { at: 'createGate options' })
}
