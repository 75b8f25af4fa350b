/** What is taken together with a permit. */
import type { OutcomeStatus } from './receipt.ts'
import type { SessionClaim } from './session.ts'

/** A call key with everything that must be unique or counted with it. */
export interface Claim {
  readonly callKey: string
  readonly inputDigest: string
  /** The approval that this permit spends; it must be `approved` and unspent in the same transaction. */
  readonly approval?: string
  /** The override that this permit uses. Counted in the same transaction, and never given back. */
  readonly override?: OverrideUse
  readonly session?: SessionClaim
}

/** A signed override, as a store counts it: which one, and the most uses that it may ever have there. */
export interface OverrideUse {
  readonly id: string
  readonly most: number
}

export type ClaimStatus = 'claimed' | OutcomeStatus

export type Committed =
  /** Receipt and claim are durable. `use` is which use of its override this is, from 1. */
  | { readonly outcome: 'claimed'; readonly use?: number }
  /** Nothing was written: the key is taken. */
  | { readonly outcome: 'taken'; readonly receipt: string; readonly inputDigest: string; readonly status: ClaimStatus }
  /** Nothing was written: the approval was spent, declined or expired meanwhile. */
  | { readonly outcome: 'approval_spent' }
  /** Nothing was written: the override has had its uses. */
  | { readonly outcome: 'override_spent' }
  /** Nothing was written: the session moved on; decide again. */
  | { readonly outcome: 'stale' }
  /** Nothing was written: `seq` does not follow the stream's head; sign again. */
  | { readonly outcome: 'discontinuous' }

/** The holder of a call key, as a later call with the same key learns of it. */
export type Holder = Extract<Committed, { readonly outcome: 'taken' }>

/** Reads who holds a call key. A look, not a claim: only `commitDecision` decides. */
export interface ClaimLedger {
  holder(callKey: string): Promise<Holder | undefined>
}
