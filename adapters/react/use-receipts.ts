import { useState } from 'react'
import type { Jwk, ReceiptClaims, ReceiptReport } from '../../src/verify.ts'
import type { HoldpointData } from '../shared/part.ts'

/** What a check of one receipt came to. */
export interface CheckedReceipt {
  readonly id: string
  readonly kind: string
  readonly result: 'pass' | 'fail' | 'not_established'
  /** Why it is no pass. */
  readonly why?: string
  /** What it says; absent unless a trusted key signed it. */
  readonly claims?: ReceiptClaims
}

/** Where the check of a call's receipts stands. Only `verified` may ever look like a yes. */
export type ReceiptState =
  | { readonly state: 'unchecked' }
  | { readonly state: 'checking' }
  | {
      readonly state: 'verified' | 'failed' | 'not_established'
      readonly receipts: readonly CheckedReceipt[]
      /** Why it is not `verified`. */
      readonly why?: string
    }

export interface Receipts {
  readonly check: ReceiptState
  /** Verifies them in this browser. Loads the verifier when it is first called. */
  readonly verify: () => Promise<void>
}

/**
 * The receipts of one call, and their check in this browser.
 *
 * @param trustedKeys public keys that the app itself brings; none that came with a message
 */
export function useReceipts(data: HoldpointData, trustedKeys: readonly Jwk[]): Receipts {
  // A stream hands out the same words in new objects; other words were not checked.
  const said = saidIn(data)
  const [checked, setChecked] = useState<{ readonly of: string; readonly check: ReceiptState }>()
  const verify = async () => {
    setChecked({ of: said, check: { state: 'checking' } })
    const check = await checkReceipts(data, trustedKeys)
    setChecked((now) => (now?.of === said ? { of: said, check } : now))
  }
  return { check: checked?.of === said ? checked.check : { state: 'unchecked' }, verify }
}

/** What a check holds for: these words, and no others. */
export function saidIn(data: HoldpointData): string {
  return JSON.stringify(data)
}

/** Verifies the receipts of one call, and that they tell of it. Never throws. */
export async function checkReceipts(data: HoldpointData, trustedKeys: readonly Jwk[]): Promise<ReceiptState> {
  if (data.receipts.length === 0) return unestablished('this call came without a receipt')
  if (trustedKeys.length === 0) return unestablished('this app names no key that it trusts')
  try {
    const { verifyReceipt } = await import('../../src/verify.ts')
    const reports = await Promise.all(data.receipts.map(({ jws }) => verifyReceipt(jws, { keys: trustedKeys })))
    const receipts = reports.map((report, at) => checkedReceipt(data, report, reports, at))
    const failed = receipts.find(({ result }) => result === 'fail')
    if (failed !== undefined) return { state: 'failed', receipts, why: failed.why ?? 'it does not verify' }
    const open = receipts.find(({ result }) => result !== 'pass')
    if (open !== undefined) return { state: 'not_established', receipts, why: open.why ?? 'it was not established' }
    const missing = data.refusal?.receipt
    if (missing !== undefined && !data.receipts.some(({ id }) => id === missing))
      return { state: 'failed', receipts, why: `the receipt ${missing} of this refusal is not there` }
    return { state: 'verified', receipts }
  } catch (cause) {
    return unestablished(cause instanceof Error ? cause.message : 'this browser cannot verify it')
  }
}

function unestablished(why: string): ReceiptState {
  return { state: 'not_established', receipts: [], why }
}

function checkedReceipt(
  data: HoldpointData,
  report: ReceiptReport,
  all: readonly ReceiptReport[],
  at: number,
): CheckedReceipt {
  const { id, kind } = data.receipts[at] ?? { id: '', kind: '' }
  if (report.result !== 'pass') return { id, kind, result: report.result, why: report.why }
  const { claims } = report
  const why = report.id === id ? disagreement(data, claims, all) : `the receipt is ${report.id}, not ${id}`
  return why === undefined ? { id, kind, result: 'pass', claims } : { id, kind, result: 'fail', why, claims }
}

/**
 * Where a genuine receipt tells of something else than the part that it came with. UNTRUSTED: whoever stores messages can put
 * any receipt beside any words.
 */
function disagreement(data: HoldpointData, claims: ReceiptClaims, all: readonly ReceiptReport[]): string | undefined {
  switch (claims.kind) {
    case 'decision':
      return decisionDisagreement(data, claims)
    case 'outcome':
      return all.some((report) => report.result === 'pass' && report.hash === claims.decision)
        ? undefined
        : 'it is the outcome of another call'
    default:
      return 'it is no receipt of a call'
  }
}

type Decided = Extract<ReceiptClaims, { readonly kind: 'decision' }>

function decisionDisagreement({ outcome, tool, refusal, materiality, notices = [] }: HoldpointData, claims: Decided) {
  const id = `${claims.tool.server}/${claims.tool.name}`
  const isThisTool = refusal === undefined ? claims.tool.name === tool : id === refusal.tool
  if (!isThisTool) return `it tells of a call of ${id}`
  if (materiality !== undefined && claims.materiality !== materiality)
    return `it tells of a call of materiality ${claims.materiality}`
  switch (outcome) {
    case 'refused':
      return claims.code === refusal?.code ? undefined : `it tells of ${claims.code ?? 'a call that was let run'}`
    case 'ungated':
      return claims.basis === 'ungated' ? undefined : 'it tells of a call that was gated'
    case 'permitted':
      if (claims.basis === 'fail_open' && !notices.some(({ kind }) => kind === 'failed_open'))
        return 'it tells of a call that no policy answered for'
      return claims.permit !== undefined || !claims.enforced ? undefined : 'it tells of a call that was refused'
  }
}
