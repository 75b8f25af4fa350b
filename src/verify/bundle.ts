import { counted } from '../bytes/counted.ts'
import { HoldpointError } from '../errors.ts'
import { Intake } from '../receipt/intake.ts'
import { Keyring } from '../receipt/keyring.ts'
import { type Looked, look } from '../receipt/look.ts'
import { AT_ONCE, batches } from '../receipt/verify.ts'
import type { Check, VerifyReport } from '../receipt/verify-report.ts'
import { Ledger } from '../receipt/verify-set.ts'
import type { Extent } from '../receipt/verify-streams.ts'
import { type Anchors, type BundleTrust, readAnchors } from './anchors.ts'
import { ApprovalsCheck } from './approvals-check.ts'
import { BundleOrder, type PlacedPart } from './bundle-order.ts'
import { type BundleHead, readBundlePart } from './bundle-text.ts'
import { OpeningsCheck } from './openings-check.ts'
import { type BundleReport, checkReports, open, pass, type Verdict } from './report.ts'
import { TermsCheck } from './terms-check.ts'
import { TreeCheck } from './tree-check.ts'

/**
 * Verifies a bundle offline, by what the caller trusts and nothing else. Runs in browsers and in Node.
 *
 * Each check comes out as pass, fail or not established; what nobody trusted vouches for is not established, whatever the
 * bundle says. Memory grows with the receipts and the calls, by some 45 bytes each, and not with what they or the log hold.
 *
 * @param lines the file's lines, without their newlines
 * @throws HoldpointError when what is trusted is itself unusable: ERR_KEY, ERR_CONFIG, ERR_FORMAT
 */
export async function verifyBundle(
  lines: Iterable<string> | AsyncIterable<string>,
  trust: BundleTrust,
): Promise<BundleReport> {
  const order = new BundleOrder()
  const broken: { why?: string } = {}
  const run = await taken(placedParts(lines, order, broken), await readAnchors(trust))
  const { counts } = order
  const whole = pass(`a whole bundle: ${counted(counts.receipts, 'receipt')}, ${counted(counts.openings, 'opening')}`)
  if (run !== undefined) return run.report(whole, broken.why)
  const nothing = new Run({ origin: '', scope: 'part', size: 0 }, await readAnchors(trust))
  return { ...nothing.report(whole, broken.why), scope: undefined }
}

/**
 * The same checks for receipts that come without a bundle, one JWS a string: what a log would show is not established.
 *
 * @throws HoldpointError when what is trusted is itself unusable: ERR_KEY, ERR_CONFIG, ERR_FORMAT
 */
export async function verifyLoose(tokens: AsyncIterable<string>, trust: BundleTrust): Promise<BundleReport> {
  const run = new Run({ origin: '', scope: 'log', size: 0 }, await readAnchors(trust))
  for await (const batch of batches(tokens, AT_ONCE)) {
    await run.take(batch.map((jws) => ({ kind: 'receipt', jws })))
  }
  const report = run.report(open('these are receipts alone; export a bundle (holdpoint export)'), undefined)
  return { ...report, complete: report.ok && report.settled && report.sealed, scope: undefined }
}

async function taken(parts: AsyncIterable<PlacedPart>, anchors: Anchors): Promise<Run | undefined> {
  let run: Run | undefined
  for await (const batch of batches(parts, AT_ONCE)) {
    const [first] = batch
    if (run === undefined && first?.kind === 'head') run = new Run(first, anchors)
    await run?.take(batch)
  }
  return run
}

/** UNTRUSTED: parts as long as they stand where they may; the first that does not ends the reading. */
async function* placedParts(
  lines: Iterable<string> | AsyncIterable<string>,
  order: BundleOrder,
  broken: { why?: string },
): AsyncGenerator<PlacedPart> {
  let number = 0
  for await (const line of lines) {
    number += 1
    let part: PlacedPart
    try {
      part = order.take(readBundlePart(line))
    } catch (error) {
      if (!(error instanceof HoldpointError)) throw error
      broken.why = `line ${number} ${error.because ?? `holds a note that cannot be read: ${error.message}`}`
      return
    }
    yield part
  }
  if (order.isWhole) return
  broken.why =
    number === 0
      ? 'there is no line: this is no bundle'
      : `the bundle ends after line ${number} without its last line: it was cut; get the whole file again`
}

/** One verification under way. */
class Run {
  readonly #head: BundleHead
  readonly #anchors: Anchors
  readonly #keyring: Keyring
  readonly #ledger: Ledger
  readonly #intake: Intake
  readonly #tree: TreeCheck
  readonly #terms: TermsCheck
  readonly #approvals: ApprovalsCheck
  readonly #openings: OpeningsCheck

  constructor(head: BundleHead, anchors: Anchors) {
    this.#head = head
    this.#anchors = anchors
    this.#keyring = new Keyring(anchors.keys)
    this.#ledger = new Ledger(extentOf(head))
    this.#intake = new Intake(this.#keyring, this.#ledger)
    this.#tree = new TreeCheck(this.#ledger.findings, head, anchors)
    this.#terms = new TermsCheck(this.#ledger.findings, anchors)
    this.#approvals = new ApprovalsCheck(this.#ledger.findings, anchors)
    this.#openings = new OpeningsCheck(this.#ledger.findings)
  }

  async take(parts: readonly PlacedPart[]): Promise<void> {
    const looked = await Promise.all(
      parts.map((part) => (part.kind === 'receipt' ? look(part.jws, this.#keyring) : undefined)),
    )
    for (const [at, part] of parts.entries()) await this.#takeOne(part, looked[at])
  }

  async #takeOne(part: PlacedPart, looked: Looked | undefined): Promise<void> {
    switch (part.kind) {
      case 'head':
      case 'end':
        return
      case 'opening':
        if (this.#isKeyless)
          this.#ledger.findings.unsure(part.opens === 'statement' ? 'approvals' : 'openings', KEYLESS)
        else if (part.opens === 'statement') await this.#approvals.statement(part)
        else this.#openings.opening(part)
        return
      case 'checkpoint':
        await this.#tree.checkpoint(part)
        return
      case 'receipt':
        if (looked !== undefined) await this.#receipt(part, looked)
    }
  }

  async #receipt(part: Extract<PlacedPart, { kind: 'receipt' }>, looked: Looked): Promise<void> {
    this.#tree.leaf(this.#intake.count, part.leaf, looked.sighted?.leaf, part.proof)
    // INVARIANT I6: without a trusted key nothing is good, and nothing is said to be bad: it is not established.
    const accepted = this.#isKeyless ? this.#intake.pass(looked) : await this.#intake.take(looked)
    if (accepted === undefined) return
    this.#terms.see(accepted)
    this.#approvals.see(accepted)
    this.#openings.see(accepted)
  }

  report(whole: Verdict, brokenBecause: string | undefined): BundleReport {
    const { findings } = this.#ledger
    if (brokenBecause !== undefined) findings.fail({ index: -1, check: 'bundle', why: brokenBecause })
    this.#nameStrangers()
    const twoRoles = this.#anchors.twoRoles(this.#keyring.addedKeys)
    if (twoRoles !== undefined)
      findings.fail({ index: -1, check: 'keys', why: `${twoRoles}: one key may have one role` })
    const tree = this.#tree.close()
    const set = this.#ledger.report(this.#intake.count)
    const verdictOf = (check: Check): Verdict => {
      switch (check) {
        case 'bundle':
          return whole
        case 'inclusion':
        case 'consistency':
        case 'witnesses':
          return tree.verdictOf(check)
        case 'definitions':
        case 'policies':
        case 'overrides':
          return this.#terms.verdictOf(check)
        case 'approvals':
          return this.#approvals.verdict()
        case 'openings':
          return this.#openings.verdict()
        case 'completeness':
          return this.#completeness(tree.verdictOf)
        case 'presence':
          return pass(counted(set.count, 'receipt'))
        default:
          return this.#verdictOfSet(check, set)
      }
    }
    const checks = checkReports(findings, brokenBecause === undefined ? verdictOf : whileBroken(verdictOf))
    const isSigned = checks.some(({ check, result }) => check === 'signature' && result === 'pass')
    const isAll = checks.some(({ check, result }) => check === 'completeness' && result === 'pass')
    const ok = findings.isClean && isSigned
    return {
      ...set,
      ok,
      verified: this.#intake.accepted === 0 ? 0 : set.verified,
      complete: ok && set.settled && set.sealed && isAll,
      // What was found while closing is in the findings by now.
      failures: findings.failures(),
      notes: findings.notes(),
      scope: this.#head.scope,
      log: tree.summary,
      checks,
    }
  }

  get #isKeyless(): boolean {
    return this.#anchors.keys.size === 0
  }

  /** Whose keys these are is the first thing that somebody with the wrong key file has to know. */
  #nameStrangers(): void {
    const { strangers, accepted } = this.#intake
    if (strangers.length === 0 || accepted > 0) return
    const why = `${this.#isKeyless ? KEYLESS : 'no receipt is signed by a key that you trust: this is not the key file of this gate'}. They name ${strangers.join(', ')}; get that key from the gate’s operator by a way you trust (--keys)`
    if (this.#isKeyless) this.#ledger.findings.unsure('signature', why)
    else this.#ledger.findings.fail({ index: -1, check: 'signature', why })
  }

  #completeness(treeVerdict: (check: 'inclusion' | 'witnesses') => Verdict): Verdict {
    const { scope, size } = this.#head
    if (size === 0) return open('none of this was logged, so nothing shows what else there was')
    if (scope === 'part')
      return open(`${this.#intake.count} of the ${size} leaves of the log are here: get a bundle of the whole log`)
    if (this.#intake.accepted === 0) return open('no receipt could be relied on')
    for (const check of ['inclusion', 'witnesses'] as const) {
      const { result, why } = treeVerdict(check)
      if (result !== 'pass' || this.#ledger.findings.failed(check) !== undefined) return open(why)
    }
    return pass(`all ${size} leaves that the log had when its last checkpoint was witnessed are here`)
  }

  #verdictOfSet(check: Check, set: VerifyReport): Verdict {
    if (set.count === 0) return open('there is no receipt to look at')
    if (check === 'envelope') return pass('each receipt is one strict JWS')
    if (this.#intake.accepted === 0) return open(this.#isKeyless ? KEYLESS : 'no receipt could be relied on')
    switch (check) {
      case 'signature':
        return pass(
          `each receipt is signed by ${this.#keyring.size === 1 ? 'the trusted key' : `one of ${this.#keyring.size} trusted keys`}`,
        )
      case 'payload':
        return pass('each payload is canonical and has the members of its kind')
      case 'keys':
        return this.#keys()
      case 'continuity':
        return pass(
          set.sealed
            ? 'no stream has a hole, and each is closed'
            : 'no stream has a hole; some are still open at their end',
        )
      case 'lineage':
        return pass('every parent that a decision names is here')
      case 'grounds':
        return pass('each permit rests on something that may grant one')
      case 'pairing':
        return pass(
          set.settled
            ? 'each permit has its one outcome'
            : 'no outcome is without its permit; some permits have none yet',
        )
      case 'spent':
        return pass('no call ran twice')
      default:
        return open('this was not looked at')
    }
  }

  #keys(): Verdict {
    const { added, retired } = this.#keyring
    if (retired > 0 && !this.#tree.isAnchored) {
      return open(
        'a key was retired, and only a log that you trust shows that nothing was back-dated: give its policy (--log)',
      )
    }
    // INVARIANT I6: whoever chooses the leaves can leave out the one that ended a key's time.
    if (this.#head.scope === 'part') {
      return open(
        'only some leaves of the log are here; a key may have been retired in the others: get a bundle of the whole log',
      )
    }
    const changes =
      added + retired === 0
        ? 'none was added or retired'
        : `${added} added, ${retired} retired, nothing signed after that`
    return pass(`each key is trusted for receipts alone; ${changes}`)
  }
}

const KEYLESS = 'no key is trusted, so nothing says who signed the receipts'

/** Behind a fault nothing was read: what is fine so far is not established of the whole. */
function whileBroken(verdictOf: (check: Check) => Verdict): (check: Check) => Verdict {
  return (check) => {
    const verdict = verdictOf(check)
    return verdict.result === 'pass' ? open('the bundle could not be read to its end') : verdict
  }
}

function extentOf({ scope, size }: BundleHead): Extent {
  if (scope === 'part') return 'part'
  return size === 0 ? 'set' : 'log'
}
