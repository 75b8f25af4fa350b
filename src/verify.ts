/**
 * `holdpoint/verify`: verifies receipts and bundles offline, in a browser or in Node, with what the caller trusts alone.
 *
 * Nothing here reads a file, a clock or the network.
 */
export type {
  DecisionClaims,
  KeyClaims,
  OpenClaims,
  OutcomeClaims,
  ReceiptClaims,
  SealClaims,
} from './receipt/claims.ts'
export type { Jwk } from './receipt/keys.ts'
export { readReceipt } from './receipt/read.ts'
export { verifyReceipts } from './receipt/verify.ts'
export type { Check, VerifyFailure, VerifyNote, VerifyReport } from './receipt/verify-report.ts'
export type { BundleTrust } from './verify/anchors.ts'
export { verifyBundle } from './verify/bundle.ts'
export {
  BUNDLE_FORMAT,
  type BundleHead,
  type BundleOpening,
  type BundlePart,
  type BundleScope,
  readBundlePart,
} from './verify/bundle-text.ts'
export { type BundleContent, bundleLines, fitsBundle } from './verify/bundle-writer.ts'
export { type ReceiptReport, verifyReceipt } from './verify/receipt.ts'
export type { BundleReport, CheckReport, CheckResult, LogSummary } from './verify/report.ts'
