import type { Permit } from './permit/permit.ts'
import type {
  Begun,
  Ending,
  Json,
  Materiality,
  Notice,
  OutcomeStatus,
  PermittedAdmission,
  Receipt,
  Refusal,
  RefusalCode,
  When,
} from './types.ts'

/** What the tool is given: the decided bytes, parsed anew. */
export interface Given {
  readonly input: Json
  readonly beside?: Json
}

/** What an admission needs to begin and to end. */
export interface AdmissionTerms {
  readonly callKey: string
  readonly materiality: Materiality
  readonly receipt: Receipt | undefined
  readonly failedOpen: boolean
  /** False in observe mode. */
  readonly enforced: boolean
  readonly notices: readonly Notice[]
  /** What may be shown of a result. */
  readonly reveal: (result: unknown) => unknown
  readonly permit: Permit
  /** A fresh parse of the snapshot for the tool. */
  readonly given: () => Given
  readonly refusal: (code: RefusalCode) => Refusal
  /** Writes the outcome receipt; never rejects. */
  readonly record: (status: OutcomeStatus, result: unknown, when?: When) => Promise<Receipt | undefined>
  /** Forgets the admission: its key is free for the store to judge. */
  readonly forget: () => void
  readonly cancelExpiry: () => void
}

/** A permitted call: begun at most once, settled exactly once. */
export class LiveAdmission implements PermittedAdmission {
  readonly outcome = 'permitted'
  readonly enforced: boolean
  readonly callKey: string
  readonly materiality: Materiality
  readonly receipt: Receipt | undefined
  readonly failedOpen: boolean
  readonly notices?: readonly Notice[]
  readonly #terms: AdmissionTerms
  #settled: Promise<Receipt | undefined> | undefined

  constructor(terms: AdmissionTerms) {
    this.callKey = terms.callKey
    this.materiality = terms.materiality
    this.receipt = terms.receipt
    this.failedOpen = terms.failedOpen
    this.enforced = terms.enforced
    if (terms.notices.length > 0) this.notices = terms.notices
    this.#terms = terms
  }

  begin(): Begun {
    const answer = this.#terms.permit.begin()
    if (answer === 'begun') {
      this.#terms.cancelExpiry()
      return { outcome: 'begun', ...this.#terms.given() }
    }
    // A second `begin` refuses itself alone; a permit that lapsed unused gives its key back.
    if (answer !== 'in_progress') void this.settle({ status: 'not_executed' })
    return { outcome: 'refused', refusal: this.#terms.refusal(answer) }
  }

  reveal(result: unknown): unknown {
    return this.#terms.reveal(result)
  }

  settle(ending: Ending, when: When = 'now'): Promise<Receipt | undefined> {
    this.#settled ??= this.#end(ending, when)
    return this.#settled
  }

  /** The permit's time is up: if it was never begun, its key is free again. */
  expire(): void {
    if (this.#terms.permit.revoke()) void this.settle({ status: 'not_executed' })
  }

  async #end(ending: Ending, when: When): Promise<Receipt | undefined> {
    this.#terms.cancelExpiry()
    const status = endingStatus(ending, this.#terms.permit)
    try {
      return await this.#terms.record(status, 'result' in ending ? ending.result : undefined, when)
    } finally {
      this.#terms.forget()
    }
  }
}

/** What the receipt says. A call that has begun is never called `not_executed`: its key must stay spent. */
function endingStatus(ending: Ending, permit: Permit): OutcomeStatus {
  if (!permit.begun) permit.revoke()
  return statusOf(ending, permit.begun)
}

function statusOf({ status }: Ending, begun: boolean): OutcomeStatus {
  if (!begun) return 'not_executed'
  return status === 'not_executed' ? 'unknown' : status
}

/**
 * Observe mode: decided and receipted, not held. `observed` is the refusal that would have been. INVARIANT I4: what has not begun
 * when the observation ends is no permit.
 */
export function observedAdmission(terms: {
  readonly callKey: string
  readonly materiality: Materiality
  readonly receipt: Receipt | undefined
  readonly observed: Refusal | undefined
  readonly notices: readonly Notice[]
  readonly isObserving: () => boolean
  readonly refusal: (code: RefusalCode) => Refusal
  readonly given: () => Given
  readonly record: (status: OutcomeStatus, result: unknown, when?: When) => Promise<Receipt | undefined>
}): PermittedAdmission {
  let begun = false
  let settled: Promise<Receipt | undefined> | undefined
  const settle: PermittedAdmission['settle'] = (ending, when) => {
    const result = 'result' in ending ? ending.result : undefined
    settled ??= terms.record(statusOf(ending, begun), result, when)
    return settled
  }
  return {
    outcome: 'permitted',
    enforced: false,
    failedOpen: false,
    callKey: terms.callKey,
    materiality: terms.materiality,
    receipt: terms.receipt,
    ...(terms.observed === undefined ? {} : { observed: terms.observed }),
    ...(terms.notices.length === 0 ? {} : { notices: terms.notices }),
    reveal: (result) => result,
    begin: () => {
      if (begun) return { outcome: 'refused', refusal: terms.refusal('in_progress') }
      if (!terms.isObserving()) {
        void settle({ status: 'not_executed' })
        return { outcome: 'refused', refusal: terms.refusal('permit_expired') }
      }
      begun = true
      return { outcome: 'begun', ...terms.given() }
    },
    settle,
  }
}
