/** What `holdpoint verify` found, in words. */
import { counted } from '../bytes/counted.ts'
import { visible } from '../bytes/visible.ts'
import type { Check, VerifyFailure } from '../receipt/verify-report.ts'
import type { BundleReport, CheckReport } from '../verify.ts'
import { homely } from './context.ts'
import type { Terminal } from './terminal.ts'
import type { Trusted } from './trust.ts'

/** Failures that are printed one by one; the rest are counted. */
const MOST_SHOWN = 20

/** What was asked, and on whose word. */
interface Asked {
  readonly trusted: Trusted
  /** The file of the log policy. */
  readonly log: string | undefined
  readonly required: ReadonlySet<Check>
}

export function tell(report: BundleReport, { trusted, log, required }: Asked, terminal: Terminal): void {
  const { out, style } = terminal
  const unmet = report.checks.filter(({ check, result }) => required.has(check) && result !== 'pass')
  out(headline(report, style))
  if (unmet.length > 0) out(`  ${style('red', 'Required, and not so')}: ${unmet.map(({ check }) => check).join(', ')}`)
  if (report.ok && !report.enforced) out('  Not enforced: some calls were observed, not held.')
  const shown = report.checks.filter((one) => report.scope !== undefined || required.has(one.check))
  for (const one of shown) out(`  ${lineOf(one, style)}`)
  // What a line above says of the whole set is not said again.
  const failures = report.failures.filter(({ index, why }) => index >= 0 || !shown.some((one) => one.why === why))
  for (const failure of failures.slice(0, MOST_SHOWN)) {
    out(`  ${placeOf(failure)}: ${failure.check}: ${visible(failure.why)}`)
  }
  if (failures.length > MOST_SHOWN) out(`  and ${failures.length - MOST_SHOWN} more`)
  for (const note of report.notes) out(`  ${style('dim', visible(note.why))}`)
  out(
    `  trusted: ${counted(trusted.keys.length, 'key')} (${trusted.from})${log === undefined ? '' : `, the log policy ${homely(log)}`}`,
  )
}

/** Which receipt a failure is about: `receipt 5, r_…`, or the set as a whole. */
export function placeOf({ index, receipt }: VerifyFailure): string {
  if (index < 0) return 'the whole set'
  return receipt === undefined ? `receipt ${index + 1}` : `receipt ${index + 1}, ${receipt}`
}

function headline(report: BundleReport, style: Terminal['style']): string {
  const what = counted(report.count, 'receipt')
  const atEnd = report.sealed || report.scope === 'part' ? '' : '; not sealed: receipts at the end may be missing'
  if (!report.ok) return `${style('red', 'Not valid')}: ${report.verified} of ${what} verified`
  if (!report.settled && report.scope !== 'part') {
    return `${style('yellow', 'Valid but incomplete')}: ${what}, all verified; an outcome is missing${atEnd}`
  }
  return `${style(report.sealed ? 'green' : 'yellow', 'Valid')}: ${what}, all verified${extent(report)}${atEnd}`
}

/** Of a bundle: how much of the log this is. */
function extent({ scope, log, count }: BundleReport): string {
  if (log === undefined) return ''
  return scope === 'log' ? `, the whole log of ${log.size}` : `, ${count} of the log's ${log.size}`
}

function lineOf({ check, result, why }: CheckReport, style: Terminal['style']): string {
  const name = check.padEnd(12)
  switch (result) {
    case 'pass':
      return `${style('green', 'pass           ')} ${name} ${visible(why)}`
    case 'fail':
      return `${style('red', 'fail           ')} ${name} ${visible(why)}`
    case 'not_established':
      return `${style('yellow', 'not established')} ${name} ${visible(why)}`
  }
}
