import { approvalFacts } from './approval/approval.ts'
import { sha256 } from './bytes/digest.ts'
import { requestDigest, sessionKey } from './call/call-key.ts'
import { derive } from './call/derived.ts'
import { spentBy } from './call/money.ts'
import type { GateParts } from './parts.ts'
import { type Considered, optional } from './pass.ts'
import type { ApprovalRecord, Claim, Contract, EvaluationRequest, Scope, SessionFacts, Snapshot } from './types.ts'

const NO_SESSION: SessionFacts = { calls: {}, spent: {} }

/** A call that is fit to be decided. */
export interface Readied {
  readonly contract: Contract
  readonly taken: Snapshot
  readonly callKey: string
}

export function evaluationRequest(
  scope: Scope,
  considered: Considered,
  call: Readied,
  session: SessionFacts,
  consent: ApprovalRecord | undefined,
): EvaluationRequest {
  const input = call.taken.parse()
  const { derived, lengths } = derive(input)
  const { principal } = scope
  return {
    subject: {
      type: principal.type,
      id: principal.id,
      properties: { roles: principal.roles, ...optional('tenant', principal.tenant) },
    },
    action: { name: 'tools/call' },
    resource: {
      type: 'tool',
      id: call.contract.id,
      properties: {
        materiality: considered.classification.materiality,
        surface: considered.classification.surface,
        server: call.contract.server,
        definition: call.contract.definitionDigest,
      },
    },
    context: {
      arguments: input,
      derived,
      lengths,
      environment: scope.environment,
      ...optional('agent', scope.agent),
      session,
      approval: approvalFacts(consent),
    },
  }
}

export function claimOf(
  parts: GateParts,
  considered: Considered,
  call: Readied,
  consent: ApprovalRecord | undefined,
  seen: number | undefined,
): Claim {
  return {
    callKey: call.callKey,
    inputDigest: askedDigest(call.contract, call.taken),
    ...optional('approval', consent?.ref),
    session: {
      key: sessionKey(considered.scope),
      tool: call.contract.id,
      ...optional('seen', parts.point.readsSession ? seen : undefined),
      ...optional('amount', spentBy(considered.request?.context.arguments)),
    },
  }
}

/** What the session has done, or `undefined` when the store cannot say. */
export async function sessionOf(
  parts: GateParts,
  scope: Scope,
): Promise<{ readonly seen?: number; readonly facts: SessionFacts } | undefined> {
  if (!parts.point.readsSession) return { facts: NO_SESSION }
  try {
    return await parts.store.read(sessionKey(scope))
  } catch {
    return undefined
  }
}

export function digestOf(parts: GateParts, considered: Considered, call: Readied): string {
  return requestDigest({
    scope: considered.scope,
    contract: call.contract,
    inputDigest: call.taken.digest,
    policyDigest: parts.point.policyDigest,
  })
}

/** What a claim remembers of its call, so that the same key for another tool or other arguments is `key_reuse`. */
export function askedDigest(contract: Contract, taken: Snapshot): string {
  return sha256(`${contract.id}\n${taken.digest}`)
}
