import { canonicalText } from './bytes/canonical.ts'
import type { Considered } from './pass.ts'
import type { DecisionDraft } from './receipt/claims.ts'
import type { RefusalCode } from './types.ts'

/** What a call that comes again is told, by how the first one stands. */
export function takenCode(status: string): RefusalCode {
  switch (status) {
    case 'claimed':
      return 'in_progress'
    case 'unknown':
      return 'outcome_unknown'
    default:
      return 'already_executed'
  }
}

export function takenSentence(code: RefusalCode, status: string): string {
  switch (code) {
    case 'in_progress':
      return 'This very call is already in progress.'
    case 'outcome_unknown':
      return 'This very call may have run before a crash; a person must look before it runs again.'
    case 'key_reuse':
      return 'The idempotency key was used before with other arguments.'
    default:
      return `This very call has already run and ended as ${status}.`
  }
}

/** Why a policy's own sentence is told: it denies, permits nothing, or waits for the yes that it speaks of. */
const POLICY_SPEAKS: ReadonlySet<RefusalCode> = new Set([
  'denied_by_policy',
  'no_permit',
  'approval_required',
  'approval_pending',
])

/** The policy's own sentence, where a policy is why; where a person said no, or too late, that is why. */
export function policySentence(considered: Considered, code: RefusalCode): string | undefined {
  const { decision } = considered
  if (decision === undefined || decision.kind === 'permit') return undefined
  if (decision.kind === 'silence' && decision.cause.kind === 'wrong' && decision.cause.fault === 'misconfigured')
    return 'The policy point could not be asked: this looks like our configuration.'
  return POLICY_SPEAKS.has(code) ? decision.sentence : undefined
}

/** Who refused, for the receipt. */
export function basisOf(considered: Considered, code: RefusalCode): DecisionDraft['basis'] {
  if (code === 'arguments_rejected' || code === 'tool_unknown') return 'input'
  return considered.decision === undefined ? 'gate' : 'pdp'
}

/** What the commitment to a result covers: its canonical text, or what JSON can hold of it. */
export function resultText(result: unknown): string | undefined {
  try {
    return canonicalText(result)
  } catch {
    try {
      return JSON.stringify(result)
    } catch {
      return undefined
    }
  }
}
