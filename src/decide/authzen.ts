import type { Decision, EvaluationRequest, Json, JsonObject, PolicyDecisionPoint } from '../types.ts'
import { type Asker, createBatcher } from './batch.ts'
import type { Endpoints } from './discovery.ts'
import { createRemotePoint, type RemoteTerms } from './remote.ts'
import { type PolicyService, wireText } from './service.ts'
import {
  deny,
  misshapen,
  objectIn,
  obligationsIn,
  optional,
  permit,
  policyError,
  requestable,
  requirementIn,
  sentenceIn,
  verdictIn,
} from './shape.ts'

/** How an AuthZEN service is asked. */
export interface AuthzenTerms {
  readonly endpoints: (signal: AbortSignal) => Promise<Endpoints>
  /** Questions in one request, at most; `undefined` asks each by itself. */
  readonly most: number | undefined
  /** The obligations that can be fulfilled here, told to the service; `undefined` tells nothing. */
  readonly obligations: readonly string[] | undefined
}

/**
 * A policy decision point that speaks the AuthZEN Authorization API 1.0.
 *
 * Read beside the decision: obligations (the Obligations profile), requestable denials (the Access Request profile, or our own
 * `context.requires`), and the reason for the user.
 */
export function createAuthzenPoint(
  terms: RemoteTerms,
  { endpoints, most, obligations }: AuthzenTerms,
  service: PolicyService,
): PolicyDecisionPoint {
  const single: Asker = async (request, signal) => {
    const { evaluation: path } = await endpoints(signal)
    const { json } = await service.ask({ path, write: () => wireText(request) }, signal)
    return json
  }
  const ask = most === undefined ? single : createBatcher({ most, single, service, endpoints })
  const decide = async (request: EvaluationRequest, signal: AbortSignal): Promise<Decision> => {
    const told = obligations === undefined ? request : withSupported(request, obligations, await endpoints(signal))
    return readAuthzen(await ask(told, signal), terms.id)
  }
  return createRemotePoint(terms, {
    decide,
    decideCanary: async (request, signal) => readAuthzen(await single(request, signal), terms.id),
    setting:
      'the engine drops a deny rule that errs: switch on the setting that makes such a rule deny, or answer with an error',
    missing: 'the engine permits no call of holdpoint/canary: give it the canary rule of docs/policy-points.md',
  })
}

/** Obligations profile, Negotiation: what we can do, as far as the service has a word for it. */
function withSupported(
  request: EvaluationRequest,
  ours: readonly string[],
  { obligations }: Endpoints,
): EvaluationRequest {
  const supported = ours.filter((type) => obligations?.includes(type) ?? true)
  const context: EvaluationRequest['context'] & Negotiated = { ...request.context, supported_obligations: supported }
  return { ...request, context }
}

/** What the profile adds to a request. */
interface Negotiated {
  readonly supported_obligations: readonly string[]
}

/**
 * Reads an AuthZEN Decision (section 5.5). Members of `context` that we do not know are advice, as the specification has it; those
 * that we know must be what they should be.
 *
 * @throws WrongAnswer
 */
export function readAuthzen(json: Json, id: string): Decision {
  const { decision, context } = objectIn(json, 'the decision', ['decision', 'context'])
  const isPermit = verdictIn(decision)
  const told = context === undefined ? {} : objectIn(context, '"context"')
  if (isPermit === true) {
    if (['error', 'requires', 'access_request'].some((name) => told[name] !== undefined)) {
      throw misshapen('a permit that tells of an error, or that requires something first, is none')
    }
    return permit([id], optional(told['obligations'], obligationsIn))
  }
  if (told['error'] !== undefined) return policyError('the policy service tells of an error')
  const requires = requirementOf(told)
  const sentence = optional(told['reason_user'] ?? told['reason'], sentenceIn)
  return requires === undefined ? deny([id], sentence) : requestable([id], requires, sentence)
}

/** The yes that would change this denial, if any. */
function requirementOf(told: JsonObject): string | undefined {
  const { requires, access_request: hint } = told
  if (requires !== undefined) return requirementIn(requires)
  if (hint === undefined) return undefined
  const { binding_token: token, expires_at: expiresAt } = objectIn(hint, '"access_request"')
  // Access Request profile, Requestable Denial Context: when it ends, and what it is bound to, are required.
  const isDated = typeof expiresAt === 'string' && DATE_TIME.test(expiresAt)
  const isBound = isText(token) || isText(told['evaluation_id'])
  if (!isDated || !isBound) throw misshapen('"access_request" is bound to no evaluation, or does not say when it ends')
  return 'confirmation'
}

/** RFC 3339. */
const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/

function isText(json: Json | undefined): boolean {
  return typeof json === 'string' && json !== ''
}
