import { decodeBase64url } from '../bytes/base64url.ts'
import { crockford } from '../bytes/crockford.ts'
import type { DecisionClaims } from './claims.ts'

/** Faults of a policy point that did not answer. Any other fault is an answer, if a wrong one. */
const ABSENT: ReadonlySet<string> = new Set(['timeout', 'unavailable', 'circuit_open'])

/**
 * What is wrong with what a decision rests on; `undefined` when nothing is.
 *
 * INVARIANT I4, I5: what may stand behind a permit. Anything else was not written by a gate that kept its promises.
 */
export function groundsFault(claims: DecisionClaims): string | undefined {
  const isOverridden = claims.basis === 'override' || claims.override !== undefined
  const why = isOverridden ? overrideFault(claims) : undefined
  if (why !== undefined || claims.permit === undefined) return why
  if (claims.code !== undefined) return 'it both refuses and permits'
  if (claims.call === undefined) return 'it permits a call without a call key'
  if (!claims.enforced) return undefined
  if (claims.decision === 'deny') return 'it permits what was denied'
  if (claims.decision === 'permit' || isOverridden) return undefined
  if (claims.basis !== 'fail_open') return 'it permits although nobody spoke for the call'
  return claims.materiality === 'low' ? undefined : `it failed open at ${claims.materiality} materiality`
}

/** An override lets a medium call run while no policy answers, and does nothing else, ever. */
function overrideFault(claims: DecisionClaims): string | undefined {
  const { basis, decision, fault, materiality, override, permit } = claims
  if (override === undefined) return 'it rests on an override that it does not name'
  if (basis !== 'override' || permit === undefined) return 'it names an override, and does not run on it'
  if (decision !== 'silence' || fault === undefined || !ABSENT.has(fault))
    return 'it runs on an override although an answer came'
  if (materiality !== 'medium') return `it runs on an override at ${materiality} materiality`
  const id = `ov_${crockford(decodeBase64url(override.digest).subarray(0, 16))}`
  return override.id === id ? undefined : 'its override has the id of another'
}
