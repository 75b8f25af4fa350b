/** The transparent no. */
import type { Constraint } from './decision.ts'
import type { Materiality } from './materiality.ts'

export type RefusalCause = 'policy' | 'human' | 'outage' | 'pin' | 'budget' | 'input' | 'replay' | 'host'

export type RefusalCode =
  | 'denied_by_policy'
  | 'no_permit'
  | 'policy_error'
  | 'obligation_unmet'
  | 'approval_required'
  | 'approval_pending'
  | 'approval_declined'
  | 'approval_expired'
  | 'approval_mismatch'
  | 'approver_not_separate'
  | 'policy_timeout'
  | 'policy_unavailable'
  | 'policy_wrong_answer'
  | 'policy_stale'
  | 'circuit_open'
  | 'isolated'
  | 'receipt_unavailable'
  | 'overloaded'
  | 'tool_unknown'
  | 'tool_changed'
  | 'budget_exceeded'
  | 'arguments_rejected'
  | 'already_executed'
  | 'in_progress'
  | 'key_reuse'
  | 'permit_expired'
  | 'permit_revoked'
  | 'outcome_unknown'
  | 'cancelled'
  | 'ungated_tool'

/** What would satisfy the refusal. Never a command that unblocks itself (I9). */
export type Remedy =
  | { readonly kind: 'request_approval'; readonly ref: string }
  | { readonly kind: 'change_arguments' }
  | { readonly kind: 'retry_later' }
  | { readonly kind: 'operator' }
  | { readonly kind: 'none' }

/** The transparent no: a value for the model and for the person. */
export interface Refusal {
  readonly holdpoint: 'refusal/v1'
  readonly code: RefusalCode
  readonly cause: RefusalCause
  /** One sentence, for both readers. */
  readonly message: string
  /** `server/tool`. */
  readonly tool: string
  readonly materiality: Materiality
  readonly executed: false
  /** At most three; argument paths only. */
  readonly constraints: readonly Constraint[]
  readonly remedy: Remedy
  readonly retryable: boolean
  /** Receipt id; absent only when the receipt of this refusal could not be written. */
  readonly receipt?: string
}
