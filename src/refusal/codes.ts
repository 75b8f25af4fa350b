import type { RefusalCause, RefusalCode } from '../types.ts'

/** What each code means, whether the identical call can pass later by itself, and what would satisfy it. */
export interface CodeFacts {
  readonly cause: RefusalCause
  readonly retryable: boolean
  readonly remedy: 'request_approval' | 'change_arguments' | 'retry_later' | 'operator' | 'none'
  /** The sentence when neither a policy nor a fault has a better one. `{tool}` is replaced. */
  readonly sentence: string
}

/**
 * The closed table of refusal codes: the only place that knows these facts. `budget_exceeded` is reserved: nothing gives it yet.
 */
export const REFUSAL_CODES: { readonly [code in RefusalCode]: CodeFacts } = {
  denied_by_policy: {
    cause: 'policy',
    retryable: false,
    remedy: 'change_arguments',
    sentence: 'A policy forbids this call.',
  },
  no_permit: {
    cause: 'policy',
    retryable: false,
    remedy: 'change_arguments',
    sentence: 'No policy permits this call.',
  },
  policy_error: {
    cause: 'policy',
    retryable: false,
    remedy: 'operator',
    sentence: 'A policy could not be evaluated for this call, so it counts as refused.',
  },
  obligation_unmet: {
    cause: 'policy',
    retryable: false,
    remedy: 'operator',
    sentence: 'The permit carries an obligation that this gate cannot meet.',
  },
  approval_required: {
    cause: 'human',
    retryable: false,
    remedy: 'request_approval',
    sentence: 'This call needs a person to say yes first.',
  },
  approval_pending: {
    cause: 'human',
    retryable: true,
    remedy: 'request_approval',
    sentence: 'A person has been asked and has not answered yet.',
  },
  approval_declined: { cause: 'human', retryable: false, remedy: 'none', sentence: 'A person declined this call.' },
  approval_expired: {
    cause: 'human',
    retryable: false,
    remedy: 'request_approval',
    sentence: 'The approval for this call ran out before it was used.',
  },
  approval_mismatch: {
    cause: 'human',
    retryable: false,
    remedy: 'request_approval',
    sentence: 'The approval was given for another call, conversation or principal.',
  },
  approver_not_separate: {
    cause: 'human',
    retryable: false,
    remedy: 'operator',
    sentence: 'This call needs an approver on another channel than this account.',
  },
  policy_timeout: {
    cause: 'outage',
    retryable: true,
    remedy: 'retry_later',
    sentence: 'The policy point did not answer in time.',
  },
  policy_unavailable: {
    cause: 'outage',
    retryable: true,
    remedy: 'retry_later',
    sentence: 'The policy point cannot be reached.',
  },
  policy_wrong_answer: {
    cause: 'outage',
    retryable: false,
    remedy: 'operator',
    sentence: 'The policy point gave an answer that cannot be trusted.',
  },
  policy_stale: {
    cause: 'outage',
    retryable: false,
    remedy: 'operator',
    sentence: 'The policy in force is out of date or unusable.',
  },
  circuit_open: {
    cause: 'outage',
    retryable: true,
    remedy: 'retry_later',
    sentence: 'The policy point has been failing and is being given time to recover.',
  },
  isolated: { cause: 'outage', retryable: false, remedy: 'operator', sentence: 'An operator has closed this gate.' },
  receipt_unavailable: {
    cause: 'outage',
    retryable: true,
    remedy: 'retry_later',
    sentence: 'The receipt could not be written, and nothing runs without one.',
  },
  overloaded: {
    cause: 'outage',
    retryable: true,
    remedy: 'retry_later',
    sentence: 'Too many calls are being decided at once.',
  },
  tool_unknown: {
    cause: 'pin',
    retryable: false,
    remedy: 'none',
    sentence: 'This gate does not know the tool {tool}.',
  },
  tool_changed: {
    cause: 'pin',
    retryable: false,
    remedy: 'operator',
    sentence: 'This call came with a definition of the tool that this gate was never told of.',
  },
  budget_exceeded: {
    cause: 'budget',
    retryable: false,
    remedy: 'change_arguments',
    sentence: 'This call would exceed what the conversation may spend.',
  },
  arguments_rejected: {
    cause: 'input',
    retryable: false,
    remedy: 'change_arguments',
    sentence: 'The arguments are not acceptable.',
  },
  already_executed: { cause: 'replay', retryable: false, remedy: 'none', sentence: 'This very call has already run.' },
  in_progress: {
    cause: 'replay',
    retryable: false,
    remedy: 'none',
    sentence: 'This very call is already in progress.',
  },
  key_reuse: {
    cause: 'replay',
    retryable: false,
    remedy: 'change_arguments',
    sentence: 'The idempotency key was used before with other arguments.',
  },
  permit_expired: {
    cause: 'replay',
    retryable: true,
    remedy: 'retry_later',
    sentence: 'The permit ran out before the call began.',
  },
  permit_revoked: {
    cause: 'replay',
    retryable: true,
    remedy: 'retry_later',
    sentence: 'The permit was revoked before the call began.',
  },
  outcome_unknown: {
    cause: 'replay',
    retryable: false,
    remedy: 'operator',
    sentence: 'This very call may have run before a crash; a person must look before it runs again.',
  },
  cancelled: { cause: 'host', retryable: true, remedy: 'none', sentence: 'The call was cancelled before it began.' },
  ungated_tool: {
    cause: 'host',
    retryable: false,
    remedy: 'operator',
    sentence: 'This tool runs where no gate can stand.',
  },
}
