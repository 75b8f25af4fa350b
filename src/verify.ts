/**
 * `holdpoint/verify`: verifies receipts offline, in a browser or in Node, with the public keys alone.
 *
 * Nothing here reads a file, a clock or the network.
 */
export type { DecisionClaims, OpenClaims, OutcomeClaims, ReceiptClaims, SealClaims } from './receipt/claims.ts'
export type { Jwk } from './receipt/keys.ts'
export { readReceipt } from './receipt/read.ts'
export { verifyReceipts } from './receipt/verify.ts'
export type { Check, VerifyFailure, VerifyNote, VerifyReport } from './receipt/verify-report.ts'
