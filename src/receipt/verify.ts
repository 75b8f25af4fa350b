import { encodeBase64url } from '../bytes/base64url.ts'
import { crockford } from '../bytes/crockford.ts'
import { HoldpointError } from '../errors.ts'
import type { ReceiptClaims } from './claims.ts'
import { type Envelope, RECEIPT_TYP, readEnvelope } from './envelope.ts'
import { importTrustedKeys, type Jwk, type TrustedKey } from './keys.ts'
import { readClaims } from './read.ts'
import type { Check, VerifyReport } from './verify-report.ts'
import { Ledger } from './verify-set.ts'

/** Signatures that are verified at a time: they run on other threads. */
const AT_ONCE = 64

/** A receipt whose own checks have been made; those of the set come after it. */
interface Read {
  readonly claims: ReceiptClaims
  readonly id: string
  readonly hash: string
  readonly kid: string
}

type Looked =
  | { readonly ok: true; readonly read: Read }
  | { readonly ok: false; readonly check: Check; readonly why: string; readonly id?: string }

/**
 * Verifies receipts offline, with nothing but the public keys that the caller trusts. Runs in browsers and in Node.
 *
 * A key that stands in a receipt is never believed. Receipts of one stream must come in their order; streams may be mixed.
 * An empty input is not a pass.
 *
 * What a pass means: the holder of a trusted key signed these statements, in this order, without a hole. What it does not
 * mean: that nothing was cut off at the end of a stream that has no seal, or that the world did what a receipt says.
 *
 * @throws HoldpointError ERR_KEY when the trusted keys themselves are unusable
 */
export async function verifyReceipts(
  input: readonly string[] | Iterable<string> | AsyncIterable<string>,
  trust: { readonly keys: readonly Jwk[] },
): Promise<VerifyReport> {
  const keys = await importTrustedKeys(trust.keys)
  const ledger = new Ledger()
  let count = 0
  for await (const batch of batches(input, AT_ONCE)) {
    const looked = await Promise.all(batch.map((jws) => look(jws, keys)))
    for (const one of looked) {
      if (one.ok) ledger.add(count, one.read.claims, one.read)
      else
        ledger.fail({
          index: count,
          check: one.check,
          why: one.why,
          ...(one.id === undefined ? {} : { receipt: one.id }),
        })
      count += 1
    }
  }
  return ledger.report(count)
}

async function look(jws: unknown, keys: ReadonlyMap<string, TrustedKey>): Promise<Looked> {
  let check: Check = 'envelope'
  let id: string | undefined
  try {
    if (typeof jws !== 'string') throw new HoldpointError('ERR_FORMAT', 'the receipt is not a string')
    const envelope = readEnvelope(jws, RECEIPT_TYP)
    const hash = await leafHash(envelope.payload)
    id = `r_${crockford(hash.subarray(0, 16))}`
    check = 'signature'
    await verifySignature(envelope, keys)
    check = 'payload'
    const claims = readClaims(envelope.payload)
    return { ok: true, read: { claims, id, hash: encodeBase64url(hash), kid: envelope.kid } }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'cannot be read'
    return { ok: false, check, why, ...(id === undefined ? {} : { id }) }
  }
}

async function verifySignature(envelope: Envelope, keys: ReadonlyMap<string, TrustedKey>): Promise<void> {
  const key = keys.get(envelope.kid)
  if (key === undefined) throw new HoldpointError('ERR_KEY', `signed by a key that is not trusted (${envelope.kid})`)
  if (envelope.alg !== key.alg)
    throw new HoldpointError('ERR_FORMAT', `says alg ${JSON.stringify(envelope.alg)}, and the key is for ${key.alg}`)
  if (!(await key.verify(envelope.signature, envelope.signed)))
    throw new HoldpointError('ERR_FORMAT', 'the signature does not match: these bytes were changed after signing')
}

/** SHA-256(0x00 ‖ payload): the receipt's hash, and its leaf in a log (RFC 9162 §2.1.1). */
async function leafHash(payload: Uint8Array): Promise<Uint8Array> {
  const leaf = new Uint8Array(payload.length + 1)
  leaf.set(payload, 1)
  return new Uint8Array(await crypto.subtle.digest('SHA-256', leaf))
}

async function* batches(
  input: Iterable<string> | AsyncIterable<string>,
  size: number,
): AsyncGenerator<readonly string[]> {
  let batch: string[] = []
  for await (const item of input) {
    batch.push(item)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
