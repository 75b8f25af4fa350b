import { approvalFacts } from './approval/approval.ts'
import { sha256 } from './bytes/digest.ts'
import { principalKey, requestDigest, sessionKey } from './call/call-key.ts'
import { derive } from './call/derived.ts'
import { spentBy } from './call/money.ts'
import type { PolicyPanel } from './decide/panel.ts'
import type { GateParts } from './parts.ts'
import { type Considered, optional } from './pass.ts'
import {
  type ApprovalRecord,
  type Claim,
  type Classification,
  type Contract,
  type EvaluationRequest,
  NO_SESSION,
  type OverrideUse,
  type Scope,
  type SessionFacts,
  type SessionKeys,
  type SessionReading,
  type SessionSeen,
  type Snapshot,
  type Surface,
} from './types.ts'

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
        ...surfacesOf(considered.classification),
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

/** As requests hold them: the list only where there is more than one. */
export function surfacesOf({ surface, surfaces }: Classification): {
  readonly surface: Surface
  readonly surfaces?: readonly Surface[]
} {
  return surfaces.length > 1 ? { surface, surfaces } : { surface }
}

export function claimOf(
  parts: GateParts,
  considered: Considered,
  call: Readied,
  grounds: {
    readonly consent: ApprovalRecord | undefined
    readonly override?: OverrideUse | undefined
    readonly seen: SessionSeen | undefined
  },
): Claim {
  const { consent, override, seen } = grounds
  const { classification, request, scope } = considered

  return {
    callKey: call.callKey,
    // A replay comes with the arguments that this call came with, whatever obligations made of them.
    inputDigest: askedDigest(call.contract, considered.arrival.snapshot ?? call.taken),
    ...optional('approval', (consent ?? considered.amended?.spends)?.ref),
    ...optional('override', override === undefined ? undefined : { id: override.id, most: override.most }),
    session: {
      ...keysOf(scope),
      tool: call.contract.id,
      surface: classification.surface,
      at: parts.clock.now(),
      ...optional('amount', spentBy(request?.context.arguments)),
      ...optional('reads', call.contract.operator?.reads),
      ...optional('seen', seenBy(parts.panel, seen)),
    },
  }
}

/** What the session has done, or `undefined` when the store cannot say. */
export async function sessionOf(
  parts: GateParts,
  scope: Scope,
): Promise<(Pick<SessionReading, 'facts'> & Partial<SessionReading>) | undefined> {
  if (parts.panel.readsSession === false) return { facts: NO_SESSION }
  try {
    return await parts.store.read(keysOf(scope), parts.clock.now())
  } catch {
    return undefined
  }
}

/** Which decisions are taken one after the other; `undefined` where no decision rests on another. */
export function turnOf({ panel }: GateParts, scope: Scope): string | undefined {
  if (panel.readsSession === false) return undefined
  const { conversation, principal } = keysOf(scope)
  return panel.readsSession === 'conversation' ? conversation : principal
}

/** The versions that a decision rests on: what the policy cannot have read does not make it stale. */
function seenBy({ readsSession }: PolicyPanel, seen: SessionSeen | undefined): Partial<SessionSeen> | undefined {
  if (seen === undefined || readsSession === false) return undefined
  return readsSession === 'conversation' ? { conversation: seen.conversation } : seen
}

function keysOf(scope: Scope): SessionKeys {
  return { conversation: sessionKey(scope), principal: principalKey(scope) }
}

/**
 * The arguments that a person's yes is found by: those that the call came with, so that whoever resumes it finds the request. Of
 * what would run the request holds the text. Where they had a yes already, the amended ones have a request of their own.
 */
function askedFor({ amended, arrival }: Considered, { taken }: Readied): Snapshot {
  return amended === undefined || amended.spends !== undefined ? taken : (arrival.snapshot ?? taken)
}

export function digestOf(parts: GateParts, considered: Considered, call: Readied): string {
  return requestDigest({
    scope: considered.scope,
    contract: call.contract,
    inputDigest: askedFor(considered, call).digest,
    policyDigest: parts.panel.policyDigest,
  })
}

/** What a claim remembers of its call, so that the same key for another tool or other arguments is `key_reuse`. */
export function askedDigest(contract: Contract, taken: Snapshot): string {
  return sha256(`${contract.id}\n${taken.digest}`)
}
