import type { Constraint, Notice, Refusal } from '../../src/index.ts'
import type { RequestPart } from '../shared/part.ts'
import type { CallStatus } from './calls.ts'
import type { ApprovalState } from './use-approval.ts'
import type { ReceiptState } from './use-receipts.ts'

/** How a call that was refused is called: one that ran before is not said to have never run. */
export function refusedTitle({ code }: Refusal): string {
  return RAN_BEFORE.has(code) ? 'Did not run again' : 'Did not run'
}

const RAN_BEFORE: ReadonlySet<string> = new Set(['already_executed', 'in_progress', 'outcome_unknown'])

/** What can be done next, for the person in the chat. */
export function nextStep(refusal: Refusal, request?: RequestPart): string {
  switch (refusal.remedy.kind) {
    case 'request_approval':
      return `It takes the yes of ${whoHasToSayYes(request?.requires, request?.quorum)}. The reference is ${refusal.remedy.ref}.`
    case 'change_arguments':
      return 'This call will not pass as it is. One that keeps to what is required may.'
    case 'retry_later':
      return 'Nothing is wrong with the call itself: it may be tried again later.'
    case 'operator':
      return 'Trying again will not help until whoever runs this assistant has looked.'
    case 'none':
      return refusal.retryable ? 'It may be made again.' : 'Nothing: this call will not be made again.'
  }
}

/** Whose yes a requirement names. */
export function whoHasToSayYes(requires: string | undefined, quorum = 1): string {
  const role = requires?.startsWith('approval:') === true ? requires.slice('approval:'.length) : undefined
  if (requires === 'confirmation') return 'the person whom it is for'
  if (quorum > 1) return `${quorum} persons${role === undefined ? '' : ` in the role ${role}`}`
  return role === undefined ? 'somebody who may' : `somebody in the role ${role}`
}

/** `user alice of acme`. */
export function personText({ type, id, tenant }: NonNullable<RequestPart['principal']>): string {
  return `${type} ${id}${tenant === undefined ? '' : ` of ${tenant}`}`
}

/** `amount`, out of `/amount`. */
export function nameOf({ path }: Pick<Constraint, 'path'>): string {
  return path.slice(1).replaceAll('/', '.') || 'arguments'
}

export const STATUS: { readonly [status in CallStatus]: string } = {
  running: 'Running',
  ran: 'Ran',
  failed: 'Ran, and failed',
  refused: 'Did not run',
  waiting: 'Waits for your answer',
  approved: 'Approved, not run yet',
  declined: 'Declined: did not run',
  ungated: 'Ran outside of the gate',
}

export const NOTICE: { readonly [kind in Notice['kind']]: string } = {
  failed_open: 'Ran without a check',
  limited: 'Ran with a limit',
  dry_run: 'Dry run',
  redacted: 'Parts of the result are withheld',
  notified: 'Somebody was told',
  held: 'Was held',
  observed: 'Would have been refused',
  override: 'Ran on an override',
  needs_instruction: 'Needs your instruction',
}

/** Why there is nothing to press any more, or what went wrong when something was. */
export function approvalSentence(approval: ApprovalState): string | undefined {
  switch (approval.state) {
    case 'open':
      return undefined
    case 'expired':
      return 'The time for an answer has run out. If it is still wanted, ask for it again.'
    case 'sending':
      return 'Sending your answer …'
    case 'sent':
      return approval.answer === 'approved'
        ? 'You approved. The policy is asked again before it runs.'
        : 'You declined. It did not run.'
    case 'failed':
      return `Your answer was not taken: ${approval.why}`
  }
}

export function receiptSentence(check: ReceiptState): string {
  switch (check.state) {
    case 'unchecked':
      return 'Not checked yet'
    case 'checking':
      return 'Checking …'
    case 'verified':
      return 'Verified in this browser'
    case 'failed':
      return `Does not verify: ${check.why ?? 'unknown'}`
    case 'not_established':
      return `Not established: ${check.why ?? 'unknown'}`
  }
}

/** `14:32`, minutes and seconds. */
export function clockText(ms: number): string {
  const seconds = Math.ceil(ms / 1_000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
