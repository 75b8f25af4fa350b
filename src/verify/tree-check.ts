import { counted } from '../bytes/counted.ts'
import type { Checkpoint } from '../log/checkpoint.ts'
import { encodeBase64, sameBytes } from '../log/encoding.ts'
import { GrowingTree } from '../log/growing-tree.ts'
import { rootOfInclusion, verifyConsistency } from '../log/merkle.ts'
import type { Hash } from '../log/ports.ts'
import { type CheckpointVerdict, judgeCheckpoint } from '../log/trusted-checkpoint.ts'
import type { Findings } from '../receipt/findings.ts'
import type { Anchors } from './anchors.ts'
import type { PlacedPart } from './bundle-order.ts'
import type { BundleHead } from './bundle-text.ts'
import { logCrypto, sha256Bytes } from './ports.ts'
import { type LogSummary, open, pass, type Verdict } from './report.ts'

type Noted = Extract<PlacedPart, { readonly kind: 'checkpoint' }>

/** The last checkpoint, and what the caller's log policy makes of it. */
interface Judged {
  readonly says: Checkpoint
  readonly verdict: CheckpointVerdict | undefined
}

/**
 * Inclusion, consistency, witnesses: that the receipts are the leaves of the tree that the log signed, that every earlier
 * checkpoint is the beginning of that tree, and who else has seen it. Of a whole log only the right edge is held.
 */
export class TreeCheck {
  readonly #head: BundleHead
  readonly #anchors: Anchors
  readonly #findings: Findings
  readonly #tree = new GrowingTree(sha256Bytes)
  /** Of some leaves: the one root that all proofs lead to. */
  #implied: Hash | undefined
  /** A leaf could not be read, so that the tree cannot be worked out any more. */
  #isTorn = false
  readonly #proven: Noted[] = []
  /** Of the caller's checkpoints, those that this bundle agrees with. */
  readonly #agreed = new Set<Checkpoint>()
  #earlier = 0
  #last: Judged | undefined

  constructor(findings: Findings, head: BundleHead, anchors: Anchors) {
    this.#findings = findings
    this.#head = head
    this.#anchors = anchors
  }

  /** @param leaf the receipt's hash; `undefined` where its payload cannot be read */
  leaf(index: number, at: number | undefined, leaf: Hash | undefined, proof: readonly Hash[] = []): void {
    if (at === undefined) return
    if (leaf === undefined) {
      this.#isTorn = true
      this.#fail('inclusion', `leaf ${at} cannot be read, so the tree cannot be worked out`, index)
      return
    }
    if (this.#head.scope === 'log') this.#grow(leaf)
    else this.#climb(index, at, leaf, proof)
  }

  async checkpoint(part: Noted): Promise<void> {
    const { policy } = this.#anchors
    const verdict = policy === undefined ? undefined : await judgeCheckpoint(logCrypto, policy, part.note)
    if (part.isLast) {
      this.#last = { says: part.says, verdict }
      return
    }
    this.#earlier += 1
    if (verdict?.kind === 'unsigned' || verdict?.kind === 'forged') {
      this.#fail(
        'consistency',
        `the earlier checkpoint of ${leaves(part.says.size)} is not signed by the log that you trust`,
      )
    }
    if (part.proof !== undefined) this.#proven.push(part)
    else if (!this.#isTorn) this.#compare(part.says, this.#tree.root(), 'an earlier checkpoint in the bundle')
  }

  /** The log's own summary, and the verdicts. Only after everything was read. */
  close(): { readonly summary: LogSummary | undefined; verdictOf(check: TreeVerdict): Verdict } {
    const last = this.#last
    if (last !== undefined) this.#closeWith(last.says, last.verdict)
    return {
      summary: last === undefined ? undefined : summaryOf(last),
      verdictOf: (check) => (last === undefined ? this.#unlogged() : this.#verdict(check, last)),
    }
  }

  /** Is it established that the receipts stand where the bundle says? */
  get isAnchored(): boolean {
    const kind = this.#last?.verdict?.kind
    return (kind === 'trusted' || kind === 'unwitnessed') && this.#findings.failed('inclusion') === undefined
  }

  #grow(leaf: Hash): void {
    if (this.#isTorn) return
    this.#tree.append(leaf)
    const due = this.#anchors.held.filter(({ size }) => size === this.#tree.size && size < this.#head.size)
    for (const held of due) this.#compareHeld(held, this.#tree.root())
  }

  #climb(index: number, at: number, leaf: Hash, proof: readonly Hash[]): void {
    const root = rootOfInclusion(sha256Bytes, { index: at, leaf, size: this.#head.size, proof })
    if (root === undefined)
      this.#fail('inclusion', `the proof of leaf ${at} is not one of a tree of ${this.#head.size}`, index)
    else if (this.#implied === undefined) this.#implied = root
    else if (!sameBytes(root, this.#implied)) {
      this.#fail('inclusion', `the proof of leaf ${at} leads to another root than the proofs before it`, index)
    }
  }

  #closeWith(says: Checkpoint, verdict: CheckpointVerdict | undefined): void {
    const root = this.#head.scope === 'log' ? this.#tree.root() : this.#implied
    if (!this.#isTorn && root !== undefined && !sameBytes(root, says.root)) {
      this.#fail(
        'inclusion',
        `the receipts do not have the root of the last checkpoint: a receipt of its ${leaves(says.size)} was changed, dropped, moved or put in`,
      )
    }
    this.#refuseForged(says, verdict)
    for (const { says: earlier, proof = [] } of this.#proven) {
      if (!verifyConsistency(sha256Bytes, { from: earlier, to: says, proof })) {
        this.#fail(
          'consistency',
          `the earlier checkpoint of ${leaves(earlier.size)} is not the beginning of the last: ${FORK}`,
        )
      } else for (const held of this.#sameSize(earlier)) this.#compareHeld(held, earlier.root)
    }
    for (const held of this.#anchors.held) this.#holdAgainst(held, says)
  }

  #refuseForged({ origin }: Checkpoint, verdict: CheckpointVerdict | undefined): void {
    if (verdict?.kind === 'unsigned') {
      const names = verdict.names.map((name) => JSON.stringify(name)).join(', ')
      this.#fail(
        'inclusion',
        `the last checkpoint is not signed by the key that you trust for the log ${JSON.stringify(origin)}, only by unknown signers (${names}): ` +
          'get the log’s verifier key from its operator by a way you trust, or a bundle that this key has signed',
      )
    } else if (verdict?.kind === 'forged') {
      this.#fail(
        'inclusion',
        `a signature of the last checkpoint in the name of ${JSON.stringify(verdict.name)} is false`,
      )
    }
  }

  #holdAgainst(held: Checkpoint, last: Checkpoint): void {
    if (this.#agreed.has(held) || held.size === 0) return
    if (held.origin !== last.origin) {
      this.#fail(
        'consistency',
        `you hold a checkpoint of the log ${JSON.stringify(held.origin)}, and this bundle is of ${JSON.stringify(last.origin)}: ` +
          'get a bundle of that log, or give the checkpoint that you hold of this one',
      )
    } else if (held.size > last.size) {
      this.#fail(
        'consistency',
        `you hold a checkpoint of ${leaves(held.size)}, and this bundle ends at ${last.size}: the log’s tail was cut, an old copy was ` +
          'restored, or the bundle is older than your checkpoint; get one made since',
      )
    } else if (held.size === last.size) this.#compareHeld(held, last.root)
    else if (this.#findings.failed('consistency') === undefined) {
      this.#findings.unsure(
        'consistency',
        `nothing here leads from the ${leaves(held.size)} that you hold a checkpoint of to the ${last.size} of the last: ` +
          'get a bundle of the whole log, or one with a proof from your checkpoint',
      )
    }
  }

  #compareHeld(held: Checkpoint, root: Hash): void {
    if (held.origin !== this.#head.origin) return
    this.#compare(held, root, 'the checkpoint that you hold')
    if (sameBytes(held.root, root)) this.#agreed.add(held)
  }

  #compare(says: Checkpoint, root: Hash, what: string): void {
    if (sameBytes(says.root, root)) return
    this.#fail('consistency', `${what} of ${leaves(says.size)} contradicts this log: ${FORK}`)
  }

  #sameSize({ size }: Checkpoint): readonly Checkpoint[] {
    return this.#anchors.held.filter((held) => held.size === size)
  }

  #unlogged(): Verdict {
    return this.#head.size === 0
      ? open('none of this was logged; export it from a store whose log is kept')
      : open('the bundle broke off before its last checkpoint')
  }

  #verdict(check: TreeVerdict, { says, verdict }: Judged): Verdict {
    // What the caller holds is an anchor of its own: it takes no key to see that a tree continues it.
    if (check === 'consistency' && this.#agreed.size > 0) return this.#consistency()
    if (verdict === undefined || verdict.kind === 'unknown-log') return this.#unanchored(says, verdict)
    if (verdict.kind === 'unsigned' || verdict.kind === 'forged')
      return open('the log that you trust did not sign the last checkpoint')
    switch (check) {
      case 'inclusion':
        return pass(
          `every receipt is at its leaf of the ${says.size} that the log ${JSON.stringify(says.origin)} signed`,
        )
      case 'consistency':
        return this.#consistency()
      case 'witnesses':
        return this.#witnesses(verdict)
    }
  }

  #unanchored({ origin }: Checkpoint, verdict: CheckpointVerdict | undefined): Verdict {
    const missing =
      verdict === undefined
        ? 'no log is trusted'
        : `your log policy does not name the log ${JSON.stringify(origin)}, but ${this.#known()}`
    return open(
      `${missing}: get this log’s verifier key from its operator by a way you trust, and put it into a log policy (--log)`,
    )
  }

  #known(): string {
    const names = (this.#anchors.policy?.logs ?? []).map(({ key }) => JSON.stringify(key.name))
    return names.length === 0 ? 'no log at all' : names.join(', ')
  }

  #consistency(): Verdict {
    if (this.#agreed.size > 0)
      return pass(`the log continues the ${counted(this.#agreed.size, 'checkpoint')} that you hold`)
    if (this.#earlier > 0)
      return pass(`the last checkpoint continues ${counted(this.#earlier, 'earlier one')} of the bundle`)
    return open(
      'there is no earlier checkpoint to compare: keep this bundle’s last one, and give it (--checkpoint) next time',
    )
  }

  #witnesses(verdict: CheckpointVerdict): Verdict {
    const cosignatures = 'cosignatures' in verdict ? verdict.cosignatures : []
    const names = cosignatures.map(({ witness }) => witness.name).join(', ')
    if (this.#anchors.policy?.quorum.kind === 'none') {
      return open('your log policy asks for no witness: name witnesses that you trust, and a quorum of them')
    }
    if (verdict.kind === 'trusted')
      return pass(
        `enough of the witnesses that you trust saw the last checkpoint: ${names}${until(cosignatures)}. What came later is not in it`,
      )
    return open(
      `too few of the witnesses that you trust saw the last checkpoint (${names === '' ? 'none' : names}): its tail may be cut, and ` +
        'others may be shown another log; get a bundle that was exported after they had answered',
    )
  }

  #fail(check: TreeVerdict, why: string, index = -1): void {
    this.#findings.fail({ index, check, why })
  }
}

export type TreeVerdict = 'inclusion' | 'consistency' | 'witnesses'

const FORK =
  'two histories were signed, and in one of them receipts were changed, dropped, moved or put in. Keep both checkpoints; together they are the evidence'

function summaryOf({ says, verdict }: Judged): LogSummary {
  const cosignatures = verdict !== undefined && 'cosignatures' in verdict ? verdict.cosignatures : []
  return {
    origin: says.origin,
    size: says.size,
    root: encodeBase64(says.root),
    witnessedAt: cosignatures.map(({ seconds }) => seconds).sort((a, b) => a - b),
  }
}

/** `, the last of them at …`: how old a log is that somebody shows, by the word of those who saw it. */
function until(cosignatures: readonly { readonly seconds: number }[]): string {
  const at = new Date(1_000 * Math.max(...cosignatures.map(({ seconds }) => seconds)))
  return Number.isNaN(at.getTime()) ? '' : `, the last of them at ${at.toISOString()}`
}

function leaves(count: number): string {
  return counted(count, 'leaf', 'leaves')
}
