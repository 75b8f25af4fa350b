import type { ReceiptClaims } from '../receipt/claims.ts'
import { Keyring } from '../receipt/keyring.ts'
import { importTrustedKeys, type Jwk } from '../receipt/keys.ts'
import { look } from '../receipt/look.ts'
import type { Check } from '../receipt/verify-report.ts'

/** What was established about one receipt by itself. */
export type ReceiptReport =
  /** The holder of a trusted key signed exactly these claims. */
  | {
      readonly result: 'pass'
      readonly id: string
      /** SHA-256(0x00 ‖ payload), by which other receipts name this one. */
      readonly hash: string
      /** RFC 7638 thumbprint of the key. */
      readonly kid: string
      readonly claims: ReceiptClaims
    }
  | { readonly result: 'fail'; readonly check: Check; readonly why: string; readonly id?: string }
  /** There was nothing to hold it against. */
  | { readonly result: 'not_established'; readonly why: string }

/**
 * Verifies one receipt by itself: its envelope, its signature, its payload. Whether receipts before and after it are there, and what
 * they say of it, is for {@link verifyReceipts} and {@link verifyBundle}. A key that only another receipt vouches for is not
 * believed here.
 *
 * @throws HoldpointError ERR_KEY when the trusted keys themselves are unusable
 */
export async function verifyReceipt(jws: string, trust: { readonly keys: readonly Jwk[] }): Promise<ReceiptReport> {
  if (trust.keys.length === 0) return { result: 'not_established', why: 'no trusted key was given' }
  const looked = await look(jws, new Keyring(await importTrustedKeys(trust.keys)))
  const { sighted } = looked
  const named = sighted === undefined ? {} : { id: sighted.id }
  switch (looked.kind) {
    case 'bad':
      return { result: 'fail', check: looked.check, why: looked.why, ...named }
    case 'stranger':
      return {
        result: 'fail',
        check: 'signature',
        why: `no trusted key signed it: its key is ${looked.sighted.envelope.kid}`,
        ...named,
      }
    case 'read': {
      const { id, hash, envelope } = looked.sighted
      return { result: 'pass', id, hash, kid: envelope.kid, claims: looked.claims }
    }
  }
}
