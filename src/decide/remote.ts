import {
  type CanaryResult,
  type Decision,
  type EvaluationRequest,
  type Json,
  NO_SESSION,
  type PolicyDecisionPoint,
} from '../types.ts'
import { WrongAnswer } from './absent.ts'

/** What the operator says about a policy service, checked. */
export interface RemoteTerms {
  readonly id: string
  readonly tools: readonly string[] | undefined
  readonly policyDigest: string
  readonly readsSession: boolean | 'conversation'
  readonly canary: 'required' | 'off'
}

/** How one kind of policy service is asked and read. */
export interface Dialect {
  /** @throws AbsentAnswer, WrongAnswer */
  decide(request: EvaluationRequest, signal: AbortSignal): Promise<Decision>
  /** The same for the canary's policy. */
  decideCanary(request: EvaluationRequest, signal: AbortSignal): Promise<Decision>
  /** What to do when a rule that errs comes back as a permit: names the engine's setting. */
  readonly setting: string
  /** What to load so that the canary can be judged. */
  readonly missing: string
}

/** A policy decision point that is elsewhere. It only ever answers by a promise, and its decisions cannot be derived again here. */
export function createRemotePoint(terms: RemoteTerms, dialect: Dialect): PolicyDecisionPoint {
  const { id, tools, policyDigest, readsSession } = terms
  return {
    id,
    ...(tools === undefined ? {} : { tools }),
    policyDigest,
    rederivable: false,
    readsSession,
    register: () => [],
    evaluate: (request, { signal }) => dialect.decide(request, signal),
    explain: () => ({ constraints: [], policies: [] }),
    ...(terms.canary === 'off' ? {} : { canary: ({ signal }) => judgeCanary(dialect, signal) }),
  }
}

/**
 * Is a rule that errs a permit there? Every engine that we know drops a deny rule that errs, unless it is told not to.
 *
 * The canary's policy permits, unless `probe` is above zero. With -1 it must permit, which shows that it is loaded and works;
 * with a text its deny rule errs, and then it must not permit.
 *
 * @throws AbsentAnswer, WrongAnswer where nothing was heard that could be judged
 */
async function judgeCanary(dialect: Dialect, signal: AbortSignal): Promise<CanaryResult> {
  const sound = await dialect.decideCanary(canaryRequest(-1), signal)
  if (sound.kind !== 'permit') return { kind: 'unestablished', because: dialect.missing }
  const erring = await erringAnswer(dialect, signal)
  return erring?.kind === 'permit' ? { kind: 'failed', because: dialect.setting } : { kind: 'passed' }
}

/** `undefined` where the service reports an error instead of a decision: that is no permit either. */
async function erringAnswer(dialect: Dialect, signal: AbortSignal): Promise<Decision | undefined> {
  try {
    return await dialect.decideCanary(canaryRequest('this is not a number'), signal)
  } catch (cause) {
    if (cause instanceof WrongAnswer && cause.fault === 'malformed') return undefined
    throw cause
  }
}

function canaryRequest(probe: Json): EvaluationRequest {
  return {
    subject: { type: 'agent', id: 'holdpoint', properties: { roles: [] } },
    action: { name: 'tools/call' },
    resource: {
      type: 'tool',
      id: 'holdpoint/canary',
      properties: { materiality: 'low', surface: 'read', server: 'holdpoint', definition: 'canary' },
    },
    context: {
      arguments: { probe },
      derived: {},
      lengths: {},
      environment: {},
      session: NO_SESSION,
      approval: { confirmed: false, roles: [] },
    },
  }
}
