/** What became of a call of a trace, in few words. */
import type { DecisionClaims, OutcomeClaims } from '../../receipt/claims.ts'
import type { TracedCall } from './traced.ts'

/** How a call went, as far as a reader tells calls apart at a glance. */
export type Kind = 'ran' | 'refused' | 'asked' | 'odd'

/** A call's fate. `ending` is absent where the call was held back. */
export interface Fate {
  readonly kind: Kind
  /** On what it was decided: `by reads`, or the refusal's code. UNTRUSTED: holds names of policies. */
  readonly ruling: string
  readonly ending?: string
}

/** The mark that stands before a call. */
export const MARK: { readonly [kind in Kind]: string } = { ran: '✓', refused: '✗', asked: '?', odd: '!' }

/** What became of a call. Whatever is not plainly permitted and well, or plainly held back, is `odd`. */
export function fateOf({ decision, outcome }: TracedCall): Fate {
  const { claims } = decision
  const ruling = rulingOf(claims)
  if (claims.basis === 'ungated') return { kind: 'odd', ruling }
  if (claims.code !== undefined && claims.enforced) {
    const asks = claims.code === 'approval_required' || claims.code === 'approval_pending'
    return { kind: asks ? 'asked' : 'refused', ruling }
  }
  const isPlain = claims.code === undefined && claims.override === undefined && claims.basis !== 'fail_open'
  const kind = isPlain && outcome?.claims.status === 'ok' ? 'ran' : 'odd'
  return { kind, ruling, ending: endingOf(outcome?.claims) }
}

function rulingOf(claims: DecisionClaims): string {
  if (claims.basis === 'ungated') return 'outside the gate'
  if (claims.code !== undefined) return claims.enforced ? claims.code : `observed, would be ${claims.code}`
  if (claims.override !== undefined) return `let through by override ${claims.override.id}`
  if (claims.basis === 'fail_open') return 'no policy answered, let through'
  const yes = claims.approval === undefined ? '' : `, ${approversIn(claims.approval).join(' and ')} said yes`
  return `by ${claims.policy.determining.join(', ') || 'no named policy'}${yes}`
}

function approversIn(approval: NonNullable<DecisionClaims['approval']>): readonly string[] {
  return 'answers' in approval ? approval.answers.map(({ by }) => by) : [approval.by]
}

function endingOf(outcome: OutcomeClaims | undefined): string {
  if (outcome === undefined) return 'no outcome on record'
  return outcome.recovered === true ? `${outcome.status}, found after a crash` : outcome.status
}
