/** Everything that is checked, in the order in which it is checked. */
export type Check =
  /** One strict JWS string. */
  | 'envelope'
  /** A trusted key signed these bytes. */
  | 'signature'
  /** The payload is canonical and has exactly the members of its kind. */
  | 'payload'
  /** From `open` at 0, without a hole, each receipt naming the one before it, signed by one key. */
  | 'continuity'
  /** What a decision says agrees with itself: a permit rests on something that may grant one. */
  | 'grounds'
  /** Each outcome ends one permit of this set, once; no call key was permitted and run twice. */
  | 'pairing'
  /** There is something to verify. */
  | 'presence'

/** A check that did not hold, and for which receipt. */
export interface VerifyFailure {
  /** Position in the input, from 0; -1 where it concerns the set as a whole. */
  readonly index: number
  /** The receipt's id, where it could be worked out. */
  readonly receipt?: string
  readonly check: Check
  readonly why: string
}

/** Something that this set alone does not establish. Not a failure. */
export interface VerifyNote {
  readonly receipt?: string
  readonly stream?: string
  readonly about:
    | 'permit_without_outcome'
    | 'stream_not_sealed'
    | 'earlier_stream_absent'
    | 'not_enforced'
    | 'outcome_unknown'
    | 'override_used'
  readonly why: string
}

/** What was established about a set of receipts. */
export interface VerifyReport {
  /** No check failed. */
  readonly ok: boolean
  /** No check failed, and the set is settled and sealed. False does not mean that anything was altered. */
  readonly complete: boolean
  /** Every permit has its outcome. */
  readonly settled: boolean
  /** Every stream ends with a seal, or with what a later stream says it reached. Where not, receipts at its end may be missing. */
  readonly sealed: boolean
  /** Receipts in the input. */
  readonly count: number
  /** Receipts that no check failed for. */
  readonly verified: number
  readonly failures: readonly VerifyFailure[]
  readonly notes: readonly VerifyNote[]
  /** False when any decision was recorded without being enforced (observe mode, ungated tools). */
  readonly enforced: boolean
}
