/** Everything that a gate keeps. */
import type { ApprovalStore } from './approval.ts'
import type { Claim, ClaimLedger, Committed } from './claim.ts'
import type { Receipt, Settlement, Sidecar } from './receipt.ts'
import type { SessionLedger } from './session.ts'

/**
 * Where receipts go. Both functions resolve when durable, and reject when it is unknown whether they are.
 *
 * A store accepts a stream's receipts only in sequence, so a receipt that could not be written never leaves a hole.
 */
export interface ReceiptStore {
  append(
    receipt: Receipt,
    beside?: { readonly settles?: Settlement; readonly sidecar?: Sidecar },
  ): Promise<{ readonly outcome: 'stored' | 'discontinuous' }>
  commitDecision(receipt: Receipt, claim: Claim, sidecar?: Sidecar): Promise<Committed>
}

/** Everything that the gate keeps. One object in practice; a port for each use so that each reader sees its own. */
export interface Store extends ReceiptStore, ClaimLedger, SessionLedger, ApprovalStore {
  /** Opens files, checks durability settings, takes over what a dead process left. Throws `HoldpointError`. */
  open(): Promise<StoreOpening>
  /** Receipts, oldest first; those of one stream in sequence. For verify, watch and why. */
  receipts(): AsyncIterable<Receipt>
  sidecar(receiptHash: string): Promise<Sidecar | undefined>
  close(): Promise<void>
}

/** What a store found when it opened. */
export interface StoreOpening {
  readonly durable: boolean
  /** Where it lives, for people: a folder, or `memory`. */
  readonly place: string
  /** The last stream that this slot holds, so that the next one can point at it. */
  readonly last?: { readonly stream: string; readonly seq: number; readonly hash: string }
  /** Permits without an outcome from a process that died. The gate writes the outcome receipt of each. */
  readonly stranded: readonly {
    /** `hash` of the decision receipt. */
    readonly decision: string
    /** `not_executed` where the claim was never durable, so that the call provably never began. */
    readonly status: 'unknown' | 'not_executed'
  }[]
}
