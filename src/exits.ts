import { shown } from './bytes/shown.ts'
import { type Drafted, type DraftParts, type DraftTerms, draftDecision, faultOf, toolName } from './draft.ts'
import { askedDigest } from './evaluation.ts'
import { basisOf, policySentence, takenCode, takenSentence } from './exit-words.ts'
import type { Override } from './override/live.ts'
import { type Arrival, type Considered, UNCLASSIFIED } from './pass.ts'
import type { DecisionDraft } from './receipt/claims.ts'
import { refusal } from './refusal/refusal.ts'
import { isObserving, observedCall, type PermitTerms, permittedCall, type SettleParts } from './settle.ts'
import type {
  Admission,
  ApprovalRecord,
  Constraint,
  Holder,
  PermittedAdmission,
  Receipt,
  Refusal,
  RefusalCode,
  Scope,
} from './types.ts'

/** How much of a rejected argument's path and of the reason a refusal quotes, in characters. */
const LONGEST_PATH = 128
const LONGEST_REASON = 256
/** Low calls that may run without a receipt before this gate wants a store again. */
const MOST_UNRECORDED = 10_000

interface ExitParts extends DraftParts, SettleParts {}

/** Why a call leaves without a permit. */
export interface Leaving {
  readonly code: RefusalCode
  readonly sentence?: string
  readonly constraints?: readonly Constraint[]
  /** Ask the policy point which conditions failed. */
  readonly explain?: boolean
  /** The request that a person could still answer. */
  readonly request?: ApprovalRecord
  readonly basis?: DecisionDraft['basis']
}

/**
 * The ways out of the pass. Each writes its receipt, tells the sinks, and returns the admission that the host acts on.
 * None of them throws: a refusal whose receipt cannot be written is still a refusal.
 */
export class Exits {
  readonly #parts: ExitParts
  /** Keys of low calls that ran without a receipt: no store knows that they are spent. */
  readonly #unrecorded = new Set<string>()

  constructor(parts: ExitParts) {
    this.#parts = parts
  }

  /** The transparent no, with its receipt. In observe mode the call runs, and the receipt says so. */
  async refused(considered: Considered, leaving: Leaving): Promise<Admission> {
    const observed = this.observing()
    if (leaving.basis === 'replay')
      this.#parts.emit({ event: 'replay-detected', tool: toolName(considered), code: leaving.code })
    const drafted = this.#draft(considered, {
      code: leaving.code,
      basis: leaving.basis ?? basisOf(considered, leaving.code),
      enforced: !observed,
    })
    const receipt =
      drafted === undefined ? undefined : await this.#parts.recorder.decision(drafted.draft, drafted.sidecar)
    const no = this.#refusal(considered, leaving, receipt)
    this.#decided(considered, receipt, { code: leaving.code, enforced: !observed })
    if (observed) return this.#observed(considered, receipt, { salt: drafted?.salt, observed: no })
    if (receipt !== undefined) this.#parts.lineage.delivered(considered.scope.trace, receipt.hash)
    return {
      outcome: 'refused',
      refusal: no,
      ...(considered.arrival.callKey === undefined ? {} : { callKey: considered.arrival.callKey }),
      ...(receipt === undefined ? {} : { receipt }),
      ...(leaving.request === undefined ? {} : { request: leaving.request }),
    }
  }

  /** Arguments that have no canonical form or miss the tool's schema: refused before any policy sees them. */
  async rejected(considered: Considered): Promise<Admission> {
    const rejected = considered.arrival.rejected ?? { path: '', because: 'could not be read' }
    // UNTRUSTED: the names in the path are a model's, and the reason may quote a stranger's schema.
    const path = shown(rejected.path, LONGEST_PATH)
    const because = shown(rejected.because, LONGEST_REASON)
    const where = path === '' ? 'The arguments' : `The argument ${path}`
    return await this.refused(considered, {
      code: 'arguments_rejected',
      sentence: `${where} ${because}`.replace(/\.?$/, '.'),
      constraints: [{ policy: 'input', path, requires: because }],
    })
  }

  /** The key is another call's: say whose, and how that one ended. */
  async taken(considered: Considered, by: Holder): Promise<Admission> {
    const { contract, snapshot } = considered.arrival
    const isSame =
      contract !== undefined && snapshot !== undefined && by.inputDigest === askedDigest(contract, snapshot)
    const code = isSame ? takenCode(by.status) : 'key_reuse'
    return await this.refused(considered, {
      code,
      basis: 'replay',
      sentence: `${takenSentence(code, by.status)} Its receipt is ${by.receipt}.`,
    })
  }

  /** More calls are in flight than the gate holds. */
  async overloaded(scope: Scope, arrival: Arrival): Promise<Admission> {
    return await this.refused(
      { scope, arrival, classification: UNCLASSIFIED, startedAt: this.#parts.clock.monotonic() },
      { code: 'overloaded' },
    )
  }

  /** A tool that runs where no gate can stand: its use is at least on record. */
  async ungated(considered: Considered, because: string): Promise<Receipt | undefined> {
    const drafted = this.#draft(considered, { code: 'ungated_tool', basis: 'ungated', enforced: false, because })
    const receipt = drafted === undefined ? undefined : await this.#parts.recorder.decision(drafted.draft)
    this.#decided(considered, receipt, { code: 'ungated_tool', enforced: false })
    return receipt
  }

  /** The store never opened: nothing can be written, so nothing material runs. */
  unrecorded(considered: Considered): Admission {
    if (this.observing()) return this.#observed(considered, undefined, {})
    const no = this.#refusal(considered, { code: 'receipt_unavailable' }, undefined)
    this.#decided(considered, undefined, { code: 'receipt_unavailable', enforced: true })
    return { outcome: 'refused', refusal: no }
  }

  /** Did this gate run the call without a receipt? Then no store will say that its key is spent. */
  ranUnrecorded(callKey: string): boolean {
    return this.#unrecorded.has(callKey)
  }

  /** A permit whose receipt could not be written. Only a low one that policy permitted may run, and only if the operator said so. */
  unwritten(
    considered: Considered,
    terms: { readonly failedOpen: boolean; readonly isLost: boolean; readonly signal: AbortSignal | undefined },
  ): Admission {
    if (this.observing()) return this.#observed(considered, undefined, {})
    const { callKey = '' } = considered.arrival
    // INVARIANT I1, I5: two outages are never open, and medium and high never run without a durable receipt.
    if (
      considered.classification.materiality === 'low' &&
      this.#parts.settings.onReceiptLoss.low === 'run' &&
      terms.failedOpen === false &&
      terms.isLost &&
      // What it reads would be forgotten, and later calls judged as if nobody had read it.
      considered.arrival.contract?.operator?.reads === undefined &&
      this.#unrecorded.size < MOST_UNRECORDED &&
      !this.#unrecorded.has(callKey)
    ) {
      // INVARIANT I2: without a claim, this gate's own memory is what keeps the call from running twice.
      this.#unrecorded.add(callKey)
      return this.#live(considered, undefined, { ...terms, salt: '' })
    }
    return this.unrecorded(considered)
  }

  /** The draft of a permit's decision receipt. */
  permitDraft(considered: Considered, terms: Pick<DraftTerms, 'basis' | 'consent' | 'override'>): Drafted {
    return draftDecision(this.#parts, considered, { ...terms, enforced: !this.observing() })
  }

  /** A medium call runs on a signed override: whoever is on call hears of every use. */
  overridden(considered: Considered, receipt: Receipt, used: Override & { readonly use: number }): void {
    const { id, reason, ticket, use, most } = used
    const tool = toolName(considered)
    this.#parts.emit({ event: 'override-used', override: id, tool, reason, ticket, use, most, receipt: receipt.id })
  }

  /** The receipt and the claim are durable: hand out the permit. */
  permitted(considered: Considered, receipt: Receipt, terms: PermitTerms): PermittedAdmission {
    this.#decided(considered, receipt, { enforced: !this.observing() })
    if (terms.failedOpen)
      this.#parts.emit({
        event: 'failure-opened',
        tool: toolName(considered),
        fault: faultOf(considered) ?? 'unavailable',
        receipt: receipt.id,
      })
    return this.#live(considered, receipt, terms)
  }

  /** Nothing that a call or a policy did may cost the refusal: first the request is left out of its receipt, then the receipt. */
  #draft(considered: Considered, terms: DraftTerms): Drafted | undefined {
    try {
      return draftDecision(this.#parts, considered, terms)
    } catch (cause) {
      if (considered.request !== undefined) {
        delete considered.request
        return this.#draft(considered, terms)
      }
      const message = cause instanceof Error ? cause.message : 'the receipt could not be drafted'
      this.#parts.emit({ event: 'receipt-failed', kind: 'decision', code: 'ERR_FORMAT', message })
      return undefined
    }
  }

  #observed(
    considered: Considered,
    receipt: Receipt | undefined,
    terms: { readonly salt?: string | undefined; readonly observed?: Refusal },
  ): Admission {
    const refusalOf = (code: RefusalCode): Refusal => this.#refusal(considered, { code }, receipt)
    return observedCall(this.#parts, considered, receipt, { ...terms, refusalOf })
  }

  #live(considered: Considered, receipt: Receipt | undefined, terms: PermitTerms): PermittedAdmission {
    const refusalOf = (code: RefusalCode): Refusal => this.#refusal(considered, { code }, receipt)
    return permittedCall(this.#parts, considered, receipt, { ...terms, enforced: !this.observing(), refusalOf })
  }

  #refusal(considered: Considered, leaving: Leaving, receipt: Receipt | undefined): Refusal {
    const sentence = leaving.sentence ?? policySentence(considered, leaving.code)
    return refusal({
      code: leaving.code,
      tool: toolName(considered),
      materiality: considered.classification.materiality,
      sentence,
      constraints:
        leaving.constraints ??
        (leaving.explain === true || leaving.request !== undefined ? this.#explain(considered) : []),
      ref: leaving.request?.ref,
      receipt: receipt?.id,
    })
  }

  #explain(considered: Considered): readonly Constraint[] {
    if (considered.request === undefined) return []
    try {
      return this.#parts.panel.explain(considered.request, considered.arrival.contract?.definition.inputSchema)
        .constraints
    } catch {
      // An explanation that fails leaves the refusal standing, without its constraints.
      return []
    }
  }

  #decided(
    considered: Considered,
    receipt: Receipt | undefined,
    terms: { readonly code?: RefusalCode; readonly enforced: boolean },
  ): void {
    const { scope, classification, decision } = considered
    this.#parts.emit({
      event: 'decision-made',
      tool: toolName(considered),
      materiality: classification.materiality,
      surface: classification.surface,
      decision: decision?.kind ?? 'silence',
      enforced: terms.enforced,
      principal: scope.principal.id,
      trace: scope.trace,
      ms: this.#parts.clock.monotonic() - considered.startedAt,
      ...(terms.code === undefined ? {} : { code: terms.code }),
      ...(receipt === undefined ? {} : { receipt: receipt.id }),
      ...(scope.conversation === undefined ? {} : { conversation: scope.conversation }),
    })
  }

  /** Nothing is held back, nobody is asked, and receipts say so. */
  observing(): boolean {
    return isObserving(this.#parts)
  }
}
