import {
  type BreakerState,
  type Decision,
  type GateEvent,
  type Health,
  type LogHealth,
  MATERIALITIES,
  type OutcomeStatus,
  type PointHealth,
  type ReceiptKind,
  type RefusalCode,
} from '../types.ts'

/** Stands for a value that is in no closed set. */
export const OTHER = 'other'

/** The values that a label can have. What is in no such set never becomes a label, so no metric holds what a model wrote. */
export interface ClosedSet {
  readonly values: readonly string[]
  /** The value where the set has it, `other` where not. */
  of(value: string): string
}

function closed<T extends string>(values: readonly T[]): ClosedSet {
  const known: ReadonlySet<string> = new Set(values)
  return { values, of: (value) => (known.has(value) ? value : OTHER) }
}

/** Every member of a union: the compiler requires that none is forgotten. */
function every<T extends string>(members: { readonly [member in T]: true }): ClosedSet {
  return closed(Object.keys(members) as T[])
}

type Because = Extract<GateEvent, { readonly event: 'call-released' }>['because']

export const MATERIALITY = closed(MATERIALITIES)
export const DECISION = every<Decision['kind']>({ permit: true, deny: true, silence: true })
export const OUTCOME = closed(['permitted', 'refused'])
export const STATUS = every<OutcomeStatus>({
  ok: true,
  tool_error: true,
  timeout: true,
  cancelled: true,
  not_executed: true,
  unknown: true,
})
/** How calls end that ran. */
export const RAN = closed<OutcomeStatus>(['ok', 'tool_error', 'timeout', 'cancelled'])
export const FAULT = closed(['timeout', 'unavailable', 'circuit_open'])
export const BREAKER = every<BreakerState>({ closed: true, open: true, half_open: true, isolated: true })
export const CANARY = every<PointHealth['canary']>({
  passed: true,
  failed: true,
  unestablished: true,
  pending: true,
  none: true,
})
export const RELEASE = every<Because>({ again: true, expired: true, cancelled: true })
export const REPLAY = closed<RefusalCode>(['already_executed', 'in_progress', 'key_reuse', 'outcome_unknown'])
export const RECEIPT = every<ReceiptKind>({ open: true, decision: true, outcome: true, key: true, seal: true })
/** Why an outcome stands in no receipt: it could not be written, or its process died first. */
export const MISSING = closed(['unwritten', 'died'])
export const APPROVAL = closed(['requested', 'approved', 'declined'])
export const LOG_STATE = every<LogHealth['state']>({ starting: true, current: true, elsewhere: true, stalled: true })
export const MODE = every<Health['mode']>({ enforce: true, observe: true })

const SILENT: readonly Decision['kind'][] = ['silence']
/** The gate had a reason of its own, after the policies' permit or before they had spoken. */
const UNSPOKEN: readonly Decision['kind'][] = ['permit', 'silence']
const ANY: readonly Decision['kind'][] = ['permit', 'deny', 'silence']
/** Given after the decision, by `begin`, or reserved. */
const NEVER: readonly Decision['kind'][] = []

/** What the policies can have said about a call that is refused with this code. */
const SAID_BEFORE: { readonly [code in RefusalCode]: readonly Decision['kind'][] } = {
  denied_by_policy: ['deny', 'silence'],
  no_permit: SILENT,
  policy_error: ANY,
  obligation_unmet: ['permit'],
  approval_required: UNSPOKEN,
  approval_pending: UNSPOKEN,
  approval_declined: UNSPOKEN,
  approval_expired: UNSPOKEN,
  approval_mismatch: NEVER,
  approver_not_separate: UNSPOKEN,
  policy_timeout: SILENT,
  policy_unavailable: SILENT,
  policy_wrong_answer: SILENT,
  policy_stale: ANY,
  circuit_open: SILENT,
  isolated: SILENT,
  receipt_unavailable: UNSPOKEN,
  overloaded: UNSPOKEN,
  tool_unknown: SILENT,
  tool_changed: SILENT,
  budget_exceeded: NEVER,
  arguments_rejected: SILENT,
  already_executed: UNSPOKEN,
  in_progress: UNSPOKEN,
  key_reuse: UNSPOKEN,
  permit_expired: NEVER,
  permit_revoked: NEVER,
  outcome_unknown: UNSPOKEN,
  cancelled: ANY,
  ungated_tool: SILENT,
}

/** The code of a call that was not refused. */
export const NO_CODE = 'none'
const CODE = closed([NO_CODE, ...Object.keys(SAID_BEFORE)])

/** The `code` label of a decision. */
export function codeLabel(code: string | undefined): string {
  return CODE.of(code ?? NO_CODE)
}

/** Every pair of decision and code that a gate can give. A call runs on a permit, on an open fail mode or on an override. */
export function decisionsAndCodes(): readonly { readonly decision: string; readonly code: string }[] {
  const refused = Object.entries(SAID_BEFORE).flatMap(([code, said]) => said.map((decision) => ({ decision, code })))
  return [{ decision: 'permit', code: NO_CODE }, { decision: 'silence', code: NO_CODE }, ...refused]
}
