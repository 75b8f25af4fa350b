/** `holdpoint verify`: do these receipts hold, under keys that somebody chose to trust? */
import { Command } from 'commander'
import { visible } from '../bytes/visible.ts'
import { type VerifyFailure, type VerifyReport, verifyReceipts } from '../verify.ts'
import { type CommandContext, situationOf } from './context.ts'
import { type ExitCode, UnusableInput } from './exit.ts'
import { tokensAt } from './receipts.ts'
import type { Terminal } from './terminal.ts'
import { type Trusted, trustedKeys } from './trust.ts'
import { storeFolder } from './why.ts'

/** Failures that are printed one by one; the rest are counted. */
const MOST_SHOWN = 20
const PROGRESS_EVERY = 1_000

export function verifyCommand(context: CommandContext): Command {
  return new Command('verify')
    .argument('[PATH]', 'an export (.jsonl, one receipt a line) or a store folder (default: the configured store)')
    .option('--keys <FILE>', 'trusted public keys: a JWK, a list of them, or a JWK set')
    .option('--config <FILE>', 'the holdpoint.yaml whose trust.receipts counts')
    .option('--require-seal', 'not valid unless every stream was sealed: nothing is missing at its end')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExits 0 valid, 1 not valid, 2 unusable input, 3 valid but a permit lacks its outcome.\n' +
        'A gate seals its stream when it closes. Until then receipts at the end may be missing, which is said and\n' +
        'is no failure: a live gate looks the same. With --require-seal it is one.' +
        '\n\nExample:\n  holdpoint verify\n  holdpoint verify receipts.jsonl --keys keys.json',
    )
    .action(async (named: string | undefined, flags: Flags) => {
      const path = named ?? storeFolder(situationOf(flags.config))
      const trusted = trustedKeys(flags.keys, () => situationOf(flags.config))
      const report = await verifyPath(path, trusted, context.terminal)
      context.terminal.progress('')
      if (flags.json === true) context.terminal.out(JSON.stringify({ path, trusted, ...report }))
      else tell(report, trusted, context.terminal)
      context.end(exitOf(report, flags.requireSeal === true))
    })
}

interface Flags {
  readonly keys?: string
  readonly config?: string
  readonly requireSeal?: true
  readonly json?: true
}

/** Verifies what is at a path. @throws UnusableInput when nothing there looks like a receipt */
async function verifyPath(path: string, trusted: Trusted, terminal: Terminal): Promise<VerifyReport> {
  const report = await verifyReceipts(counted(tokensAt(path), terminal), { keys: trusted.keys })
  const foreign = report.failures.filter(({ check, receipt }) => check === 'envelope' && receipt === undefined)
  if (report.count > 0 && foreign.length === report.count) {
    throw new UnusableInput(`${path} holds no receipts: an export has one JWS a line`)
  }
  return report
}

/** A stream without a seal is what every live gate has, so it fails only where a seal is asked for. */
function exitOf({ ok, settled, sealed }: VerifyReport, requireSeal: boolean): ExitCode {
  if (!ok || (requireSeal && !sealed)) return 1
  return settled ? 0 : 3
}

async function* counted(tokens: AsyncIterable<string>, terminal: Terminal): AsyncGenerator<string> {
  let count = 0
  for await (const token of tokens) {
    count += 1
    if (count % PROGRESS_EVERY === 0) terminal.progress(`${count} receipts read`)
    yield token
  }
}

function tell(report: VerifyReport, trusted: Trusted, terminal: Terminal): void {
  const { out, style } = terminal
  const what = `${report.count} ${report.count === 1 ? 'receipt' : 'receipts'}`
  const atEnd = report.sealed ? '' : '; not sealed: receipts at the end may be missing'
  if (!report.ok) out(`${style('red', 'Not valid')}: ${report.verified} of ${what} verified`)
  else if (!report.settled)
    out(`${style('yellow', 'Valid but incomplete')}: ${what}, all verified; an outcome is missing${atEnd}`)
  else out(`${style(report.sealed ? 'green' : 'yellow', 'Valid')}: ${what}, all verified${atEnd}`)
  if (report.ok && !report.enforced) out('  Not enforced: some calls were observed, not held.')
  for (const failure of report.failures.slice(0, MOST_SHOWN)) {
    out(`  ${placeOf(failure)}: ${failure.check}: ${visible(failure.why)}`)
  }
  if (report.failures.length > MOST_SHOWN) out(`  and ${report.failures.length - MOST_SHOWN} more`)
  for (const note of report.notes) out(`  ${style('dim', visible(note.why))}`)
  const keys = trusted.keys.length === 1 ? '1 key' : `${trusted.keys.length} keys`
  out(`  trusted: ${keys} (${trusted.from})`)
}

/** Which receipt a failure is about: `receipt 5, r_…`, or the set as a whole. */
export function placeOf({ index, receipt }: VerifyFailure): string {
  if (index < 0) return 'the whole set'
  return receipt === undefined ? `receipt ${index + 1}` : `receipt ${index + 1}, ${receipt}`
}
