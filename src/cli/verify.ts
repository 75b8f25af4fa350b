/** `holdpoint verify`: do these receipts hold, under keys that somebody chose to trust? */
import { Command } from 'commander'
import { CHECKS, type Check } from '../receipt/verify-report.ts'
import { verifyLoose } from '../verify/bundle.ts'
import { type BundleReport, type BundleTrust, verifyBundle } from '../verify.ts'
import { type CommandContext, situationOf } from './context.ts'
import { type ExitCode, UnusableInput } from './exit.ts'
import { readingAlong } from './progress.ts'
import { bundleAt, type StoreAt, shown, storeOf, tokensAt } from './receipts.ts'
import { repeatable } from './repeatable.ts'
import type { Terminal } from './terminal.ts'
import { trustedKeys } from './trust.ts'
import { type AnchorFlags, anchorsOf, askedBy } from './verify/anchors.ts'
import { tell } from './verify-words.ts'

const HELP = `
Exits 0 valid, 1 not valid, 2 unusable input, 3 valid but a permit lacks its outcome, or a check that was asked for is not
established: those that --require names, and those of what you trust. --log asks for inclusion, and for witnesses where it has a
quorum; --checkpoint for consistency; --policies, --definitions, --override-keys and --approval-keys for the
check of their name; --passkeys for approvals.
A gate seals its stream when it closes. Until then receipts at the end may be missing, which is said and
is no failure: a live gate looks the same. With --require-seal it is one.
Checks: ${CHECKS.slice(0, 10).join(' ')}
        ${CHECKS.slice(10).join(' ')}

Example:
  holdpoint verify
  holdpoint verify receipts.jsonl --keys keys.json
  holdpoint verify shop.holdpoint.jsonl --keys keys.json --log shop.policy --checkpoint last-year.txt \\
    --require inclusion,consistency,witnesses,completeness`

export function verifyCommand(context: CommandContext): Command {
  return new Command('verify')
    .argument(
      '[PATH]',
      'a bundle (holdpoint export), receipts (one JWS a line) or a store folder (default: the configured store)',
    )
    .option('--keys <FILE>', 'trusted public keys: a JWK, a list of them, or a JWK set')
    .option('--log <FILE>', 'the log and the witnesses that you trust: a C2SP tlog-policy')
    .option('--checkpoint <FILE>', 'a checkpoint of the log that you hold from before (may be repeated)', repeatable)
    .option(
      '--policies <SET>',
      'policies that you know: folders, Cedar files or shipped names with commas between them, a holdpoint.yaml, or a file of digests (may be repeated)',
      repeatable,
    )
    .option(
      '--definitions <FILE>',
      'tool definitions that you know: a tools/list answer, or digests (may be repeated)',
      repeatable,
    )
    .option('--override-keys <FILE>', 'public keys of the people who may sign overrides (may be repeated)', repeatable)
    .option('--approval-keys <FILE>', 'public keys that gates sign people’s answers with (may be repeated)', repeatable)
    .option(
      '--passkeys <FILE>',
      'passkeys of people that you know: a list as in approvals.passkeys, or a holdpoint.yaml that has one (may be repeated)',
      repeatable,
    )
    .option('--require <CHECKS>', 'not good unless these are established, such as inclusion,witnesses', repeatable)
    .option('--config <FILE>', 'the holdpoint.yaml whose trust.receipts counts')
    .option('--require-seal', 'not valid unless every stream was sealed: nothing is missing at its end')
    .option('--json', 'print one JSON object')
    .addHelpText('after', HELP)
    .action(async (given: string | undefined, flags: Flags) => {
      const named = checksIn(flags.require ?? [])
      const path = given ?? storeOf(situationOf(flags.config))
      const trusted = trustedKeys(flags.keys, () => situationOf(flags.config))
      const anchors = await anchorsOf(flags)
      const required = new Set([...named, ...askedBy(anchors)])
      const report = await verifyPath(path, { keys: trusted.keys, ...anchors }, context.terminal)
      context.terminal.progress('')
      if (flags.json === true) context.terminal.out(JSON.stringify({ path: pathOf(path), trusted, ...report }))
      else tell(report, { trusted, log: flags.log, required }, context.terminal)
      context.end(exitOf(report, { requireSeal: flags.requireSeal === true, required }))
    })
}

interface Flags extends AnchorFlags {
  readonly keys?: string
  readonly require?: readonly string[]
  readonly config?: string
  readonly requireSeal?: true
  readonly json?: true
}

/** As data: a path as it is, whoever's home it is in. */
function pathOf(at: StoreAt): string {
  return typeof at === 'string' ? at : shown(at)
}

/** Verifies what is at a path. @throws UnusableInput when nothing there looks like a receipt */
async function verifyPath(path: StoreAt, trust: BundleTrust, terminal: Terminal): Promise<BundleReport> {
  const bundle = await bundleAt(path)
  if (bundle !== undefined) return await verifyBundle(readingAlong(bundle, terminal), trust)
  const report = await verifyLoose(readingAlong(tokensAt(path), terminal), trust)
  const foreign = report.failures.filter(({ check, receipt }) => check === 'envelope' && receipt === undefined)
  if (report.count > 0 && foreign.length === report.failures.length && report.verified === 0) {
    throw new UnusableInput(`${shown(path)} holds no receipts: an export has one JWS a line`)
  }
  return report
}

/** A stream without a seal is what every live gate has, so it fails only where a seal is asked for. */
function exitOf(
  { ok, settled, sealed, scope, checks }: BundleReport,
  { requireSeal, required }: { readonly requireSeal: boolean; readonly required: ReadonlySet<Check> },
): ExitCode {
  if (!ok || (requireSeal && !sealed)) return 1
  const isMissing = checks.some(({ check, result }) => required.has(check) && result !== 'pass')
  return (settled || scope === 'part') && !isMissing ? 0 : 3
}

/** @throws UnusableInput naming a word that is no check */
function checksIn(lists: readonly string[]): ReadonlySet<Check> {
  const names = lists.flatMap((list) => list.split(',')).map((name) => name.trim())
  return new Set(
    names.map((name) => {
      const check = CHECKS.find((known) => known === name)
      if (check === undefined) throw new UnusableInput(`--require: "${name}" is none of ${CHECKS.join(', ')}`)
      return check
    }),
  )
}
