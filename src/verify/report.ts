import { counted } from '../bytes/counted.ts'
import type { Findings } from '../receipt/findings.ts'
import { CHECKS, type Check, type VerifyReport } from '../receipt/verify-report.ts'
import type { BundleScope } from './bundle-text.ts'

/** How a check came out. `not_established` is neither: what would settle it is not here, or nobody is trusted to say it. */
export type CheckResult = 'pass' | 'fail' | 'not_established'

/** One check, how it came out, and one sentence: what was found, or what to get. */
export interface CheckReport {
  readonly check: Check
  readonly result: CheckResult
  readonly why: string
}

/** What was established about a bundle. */
export interface BundleReport extends VerifyReport {
  /** No check failed, and trusted keys signed every receipt. What is not established is in `checks`. */
  readonly ok: boolean
  /** `ok`, settled and sealed, and all that was logged is here. */
  readonly complete: boolean
  readonly scope: BundleScope | undefined
  /** What the last checkpoint says; believe it as far as `inclusion` and `witnesses` pass. */
  readonly log: LogSummary | undefined
  /** Every check, in a fixed order. */
  readonly checks: readonly CheckReport[]
}

/** The tree that the last checkpoint is of. */
export interface LogSummary {
  readonly origin: string
  readonly size: number
  /** Base64. */
  readonly root: string
  /** When witnesses that the caller trusts saw it, seconds since the epoch, earliest first. */
  readonly witnessedAt: readonly number[]
}

/** How a check comes out where nothing failed and nothing was doubted. */
export interface Verdict {
  readonly result: Exclude<CheckResult, 'fail'>
  readonly why: string
}

export function pass(why: string): Verdict {
  return { result: 'pass', why }
}

export function open(why: string): Verdict {
  return { result: 'not_established', why }
}

/** `1 call ran`, `2 calls ran`. */
export function ran(count: number): string {
  return `${counted(count, 'call')} ran`
}

/** All checks in their order. A failure speaks before a doubt, and a doubt before the verdict. */
export function checkReports(findings: Findings, verdictOf: (check: Check) => Verdict): readonly CheckReport[] {
  return CHECKS.map((check) => {
    const failed = findings.failed(check)
    if (failed !== undefined) return { check, result: 'fail', why: severally(failed) }
    const doubt = findings.doubt(check)
    return doubt === undefined ? { check, ...verdictOf(check) } : { check, ...open(doubt) }
  })
}

function severally({ why, count }: { readonly why: string; readonly count: number }): string {
  return count === 1 ? why : `${why} (the first of ${count})`
}
