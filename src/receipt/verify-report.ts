/** Everything that is checked, in the order in which reports list it. */
export const CHECKS = [
  /** The file is one whole bundle: strict lines in their order, and counts that agree. */
  'bundle',
  /** One strict JWS string. */
  'envelope',
  /** A trusted key signed these bytes. */
  'signature',
  /** The payload is canonical and has exactly the members of its kind. */
  'payload',
  /** Each key is for receipts alone, was trusted or properly added, and signed nothing after it was retired. */
  'keys',
  /** From `open` at 0, without a hole, each receipt naming the one before it, signed by one key. */
  'continuity',
  /** Every parent that a decision names is there, before it. */
  'lineage',
  /** What a decision says agrees with itself: a permit rests on something that may grant one. */
  'grounds',
  /** Each outcome ends one permit of this set, once. */
  'pairing',
  /** No call key was permitted and run twice. */
  'spent',
  /** The tools' definitions are among those that the caller knows. */
  'definitions',
  /** The policies are among those that the caller knows. */
  'policies',
  /** Overrides were signed by keys that the caller trusts with them, and not used too often. */
  'overrides',
  /** What is said of approvals agrees with itself. */
  'approvals',
  /** Each receipt is at its leaf of the tree that the log signed. */
  'inclusion',
  /** Every earlier checkpoint, the caller's own too, is the beginning of the last. */
  'consistency',
  /** Enough of the witnesses that the caller trusts have seen the last checkpoint. */
  'witnesses',
  /** Nothing that was logged is left out. */
  'completeness',
  /** What was opened is what the receipts committed to. */
  'openings',
  /** There is something to verify. */
  'presence',
] as const

export type Check = (typeof CHECKS)[number]

/** A check that did not hold, and for which receipt. */
export interface VerifyFailure {
  /** Position among the receipts of the input, from 0; -1 where it concerns the set as a whole. */
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
    | 'key_added'
    | 'key_retired'
    /** There are more failures or notes than a report lists. */
    | 'not_listed'
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
  /** The first thousand, by receipt; a note says how many there are more. */
  readonly failures: readonly VerifyFailure[]
  readonly notes: readonly VerifyNote[]
  /** False when any decision was recorded without being enforced (observe mode, ungated tools). */
  readonly enforced: boolean
}
