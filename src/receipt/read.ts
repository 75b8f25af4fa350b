import en from 'zod/v4/locales/en.js'
import { HoldpointError } from '../errors.ts'
import { type ReceiptClaims, receiptClaims } from './claims.ts'
import { RECEIPT_TYP, readCanonical, readEnvelope } from './envelope.ts'

/** What zod says of what is wrong. The small zod, which pages load, brings no words; zod's own setting is the host's. */
const words = { error: en().localeError }

/**
 * Reads what a receipt says, without asking who signed it. To show a receipt, never to rely on one.
 *
 * @throws HoldpointError ERR_FORMAT
 */
export function readReceipt(jws: string): ReceiptClaims {
  return readClaims(readEnvelope(jws, RECEIPT_TYP).payload)
}

/** @throws HoldpointError ERR_FORMAT naming the first member that does not belong or fit */
export function readClaims(payload: Uint8Array): ReceiptClaims {
  const parsed = receiptClaims.safeParse(readCanonical(payload), words)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const at = (issue?.path ?? []).map((step) => `/${String(step)}`).join('')
  throw new HoldpointError(
    'ERR_FORMAT',
    `the payload ${at === '' ? '' : `at ${at} `}is not a receipt's: ${issue?.message ?? 'unknown shape'}`,
    { at },
  )
}
