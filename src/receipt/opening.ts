import { canonicalText } from '../bytes/canonical.ts'
import { isObject } from '../bytes/json.ts'
import { parseStrict } from '../bytes/strict-json.ts'
import { HoldpointError } from '../errors.ts'
import type { EvaluationRequest, Sidecar } from '../types.ts'
import type { DecisionClaims, OutcomeClaims } from './claims.ts'
import { commitArguments, commitRequest, commitResult, saltFor } from './commit.ts'

/** The preimage of a commitment: with the receipt beside it, anybody can see that this is what was committed to. */
export interface Opening {
  readonly salt: string
  /** The canonical request, or the result's text. */
  readonly text: string
}

/** More than a gate takes in, unless its operator raised its limits far beyond what they are. */
const LIMITS = { maxDepth: 512, maxNodes: 4_000_000, maxBytes: 64 * 1_048_576 }

/** Opens the request of a decision; `undefined` where what was kept is not what was committed to. */
export function openRequest(claims: DecisionClaims, kept: Sidecar): Opening | undefined {
  const opening = { salt: saltFor('request', kept.salt), text: kept.request }
  return openedRequest(claims, opening) === undefined ? undefined : opening
}

/** Opens the result of an outcome with the text that somebody else kept; `undefined` where it is not what the tool gave. */
export function openResult(outcome: OutcomeClaims, keptOfDecision: Sidecar, text: string): Opening | undefined {
  const opening = { salt: saltFor('result', keptOfDecision.salt), text }
  return outcome.result?.commit === commitResult(opening.salt, text) ? opening : undefined
}

/**
 * The request that a decision was about, where an opening is of it and holds the very arguments that were committed to.
 *
 * UNTRUSTED: an opening may be anybody's. It is read strictly, and only after its digest is the receipt's.
 */
export function openedRequest(claims: DecisionClaims, { salt, text }: Opening): EvaluationRequest | undefined {
  if (claims.request === undefined || claims.request !== commitRequest(salt, text)) return undefined
  const request = parsed(text)
  if (request === undefined) return undefined
  const given = canonicalText(request.context.arguments, LIMITS)
  const { server, name } = claims.tool
  return claims.args?.commit === commitArguments(salt, server, name, given) ? request : undefined
}

/** What was committed to was written by a gate; the shape is its own. */
function parsed(text: string): EvaluationRequest | undefined {
  try {
    const value = parseStrict(text, LIMITS)
    const context = isObject(value) ? value['context'] : undefined
    return isObject(context) && Object.hasOwn(context, 'arguments')
      ? (value as unknown as EvaluationRequest)
      : undefined
  } catch (cause) {
    if (cause instanceof HoldpointError) return undefined
    throw cause
  }
}
