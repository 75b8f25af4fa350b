/** Signed receipts, and what is kept beside them. */

export type ReceiptKind = 'open' | 'decision' | 'outcome' | 'key' | 'seal'

export type OutcomeStatus = 'ok' | 'tool_error' | 'timeout' | 'cancelled' | 'not_executed' | 'unknown'

/** A signed receipt. `hash` = SHA-256(0x00 ‖ payload) is leaf, chain pointer and trace edge at once. */
export interface Receipt {
  /** `r_` and the first 128 bits of `hash` in Crockford base32: anyone can recompute it. */
  readonly id: string
  readonly hash: string
  readonly kind: ReceiptKind
  readonly stream: string
  readonly seq: number
  /** `hash` of the receipt before this one in its stream; absent on `open`. */
  readonly prev?: string
  /** JWS compact serialisation. */
  readonly jws: string
}

/** What the gate hands a store beside an outcome: which permit it ends. */
export interface Settlement {
  /** `hash` of the decision receipt that claimed the call key. */
  readonly decision: string
  readonly status: OutcomeStatus
  /** The key that it claimed, where another process did: a store that is asked to end such a call finds it by this. */
  readonly callKey?: string
}

/** The salted preimages of a receipt's commitments, kept beside it, erasable without harming any proof. */
export interface Sidecar {
  /** The call's own salt, which never leaves the store: those of the request's and the result's commitments are made of it. */
  readonly salt: string
  /** Canonical text of the evaluation request (arguments included). */
  readonly request: string
}
