import { withYes } from '../bytes/requirement.ts'
import type { Decision, EvaluationRequest } from '../types.ts'

/** What policies say of a request as it stands. */
type Reading = (request: EvaluationRequest) => Decision

/** So many different yeses are thought of, one upon the other. */
const MOST_YESES = 3

/**
 * Decides a request, and asks nobody in vain: where a yes would have to come first, the policies are asked what they would say
 * with that yes. Only if it is a permit is the call *requestable*; else what they would say then holds at once. The permit that
 * was foreseen is never handed out: after the real yes there is a real decision. What it would oblige to is said, so that whoever is
 * asked is shown what would run.
 *
 * A call carries one yes. Policies that want two of different kinds thus refuse it, and the sentence says so.
 */
export function withForesight(read: Reading, request: EvaluationRequest, yesesLeft = MOST_YESES): Decision {
  const decision = read(request)
  if (decision.kind !== 'silence' || decision.cause.kind !== 'requestable' || yesesLeft === 0) return decision
  const { requires, quorum } = decision.cause
  const later = withForesight(read, withYes(request, requires, quorum), yesesLeft - 1)
  if (later.kind === 'permit')
    return later.obligations.length === 0
      ? decision
      : { ...decision, cause: { ...decision.cause, obligations: later.obligations } }
  // One rule wants one of the role, another wants more of it: so many are asked, once.
  if (later.kind === 'silence' && later.cause.kind === 'requestable' && later.cause.requires === requires) return later
  if (later.kind === 'deny' || later.cause.kind !== 'requestable') return later
  const { determining, errors } = decision
  const sentence = `This call would need more than one yes (${requires}, ${later.cause.requires}), and can be given one.`
  return { kind: 'deny', sentence, determining, errors }
}
