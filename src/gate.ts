import { approvalFacts, seekConsent } from './approval/approval.ts'
import { newRequest } from './approval/request.ts'
import type { Limits } from './bytes/canonical.ts'
import { callKey, requestDigest, sessionKey } from './call/call-key.ts'
import type { Contracts } from './call/contract.ts'
import { derive } from './call/derived.ts'
import { spentBy } from './call/money.ts'
import { snapshot } from './call/snapshot.ts'
import { ask } from './decide/deadline.ts'
import { type OpenBudget, rule } from './decide/fail-mode.ts'
import type { Turns } from './decide/turns.ts'
import { HoldpointError } from './errors.ts'
import type { Exits } from './exits.ts'
import { classify } from './materiality/classify.ts'
import { type Arrival, type Considered, type Settings, UNCLASSIFIED } from './pass.ts'
import type { Recorder } from './receipt/recorder.ts'
import type {
  Admission,
  AdmitOptions,
  ApprovalRecord,
  Call,
  Claim,
  Clock,
  Contract,
  EvaluationRequest,
  EventSink,
  PolicyDecisionPoint,
  RandomBytes,
  Scope,
  SessionFacts,
  Snapshot,
  Store,
} from './types.ts'

/** Everything that the pass works with. Effects come in here and nowhere else. */
export interface GateParts {
  readonly settings: Settings
  readonly contracts: Contracts
  readonly point: PolicyDecisionPoint
  readonly store: Store
  readonly recorder: Recorder
  readonly exits: Exits
  readonly openings: OpenBudget
  readonly turns: Turns
  readonly clock: Clock
  readonly random: RandomBytes
  readonly sleep: (ms: number) => Promise<void>
  readonly emit: EventSink
  /** Servers whose tools do not fit the policies: their medium and high refuse. */
  readonly misfitted: ReadonlySet<string>
}

/** How often one call is decided again because a session or an approval moved while it was being decided. */
const MOST_ROUNDS = 4
const NO_SESSION: SessionFacts = { calls: {}, spent: {} }

/**
 * Reads a call: the one snapshot, and which tool and key it is of. Synchronous, so that nothing can change the caller's
 * object between the check and the use (I3). Never throws for what the call holds.
 */
export function arrive(parts: GateParts, scope: Scope, call: Call): Arrival {
  const server = call.server ?? parts.settings.server
  const contract = parts.contracts.find(server, call.tool)
  const minted = call.callId === undefined
  const arrival = { call, server, contract, minted, callId: call.callId ?? mintId(parts.random) }
  const read = readArguments(call, contract, parts.settings.limits)
  if (read.snapshot === undefined || contract === undefined) return { ...arrival, ...read, callKey: undefined }
  const key = callKey({
    scope,
    contract,
    callId: arrival.callId,
    inputDigest: read.snapshot.digest,
    ...optional('step', call.step),
    ...optional('idempotencyKey', call.idempotencyKey),
  })
  return { ...arrival, ...read, callKey: key }
}

/**
 * One pass, top to bottom: snapshot (already taken), contract, classify, decide, permit. Every way out is an admission with
 * a receipt; nothing here throws for what a call, a model or a policy point did.
 */
export async function admitCall(
  parts: GateParts,
  scope: Scope,
  arrival: Arrival,
  options: AdmitOptions,
): Promise<Admission> {
  const { exits, settings } = parts
  const considered: Considered = { scope, arrival, classification: UNCLASSIFIED, startedAt: parts.clock.monotonic() }
  try {
    if (!parts.recorder.isOpen) await parts.recorder.ready()
  } catch {
    return exits.unrecorded(considered)
  }

  const { contract, snapshot: taken } = arrival
  if (contract === undefined) return await exits.refused(considered, { code: 'tool_unknown' })
  considered.classification = classify(contract, taken === undefined ? {} : taken.parse())
  if (arrival.rejected !== undefined || taken === undefined || arrival.callKey === undefined)
    return await exits.rejected(considered)

  const { materiality } = considered.classification
  if (scope.principal.basis === 'default' && materiality === 'high') {
    return await exits.refused(considered, {
      code: 'no_permit',
      sentence: 'Nobody said on whose behalf this call is made, and a call of high materiality needs that.',
    })
  }
  if (parts.misfitted.has(arrival.server) && materiality !== 'low') {
    return await exits.refused(considered, {
      code: 'policy_error',
      sentence: "The policies do not fit this server's tools, so its medium and high calls are refused.",
    })
  }
  return await decide(parts, considered, { contract, taken, callKey: arrival.callKey }, options, settings)
}

interface Readied {
  readonly contract: Contract
  readonly taken: Snapshot
  readonly callKey: string
}

type Step =
  | { readonly next: 'leave'; readonly admission: Admission }
  | { readonly next: 'again'; readonly spent: boolean }
  | { readonly next: 'consent'; readonly requires: string }

/** Decide and permit, with a person's consent between two decisions where the policy asks for it. */
async function decide(
  parts: GateParts,
  considered: Considered,
  call: Readied,
  options: AdmitOptions,
  settings: Settings,
): Promise<Admission> {
  const { exits, point, store } = parts
  const { scope } = considered
  const turn = point.readsSession ? sessionKey(scope) : undefined
  let consent: ApprovalRecord | undefined
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const granted = consent
    const step = await parts.turns.take(turn, () => decideOnce(parts, considered, call, granted, options, settings))
    if (step.next === 'leave') return step.admission
    if (step.next === 'again') {
      consent = step.spent ? undefined : consent
      continue
    }
    const request = newRequest({
      requires: step.requires,
      digest: digestOf(parts, considered, call),
      scope,
      tool: call.contract.id,
      classification: considered.classification,
      text: call.taken.text,
      now: parts.clock.now(),
      random: parts.random,
    })
    try {
      const answer = await seekConsent(store, request, {
        wait: options.wait !== false,
        clock: parts.clock,
        sleep: parts.sleep,
        signal: options.signal,
        opened: (record) =>
          parts.emit({ event: 'approval-requested', tool: record.tool, ref: record.ref, requires: record.requires }),
      })
      if (options.signal?.aborted === true) return await exits.refused(considered, { code: 'cancelled' })
      if (!answer.given) return await exits.refused(considered, { code: answer.code, request: answer.record })
      consent = answer.record
    } catch {
      return await exits.refused(considered, { code: 'receipt_unavailable' })
    }
  }
  return await exits.refused(considered, { code: 'overloaded' })
}

/** One decision under the budget, ruled by the fail mode, and its claim. */
async function decideOnce(
  parts: GateParts,
  considered: Considered,
  call: Readied,
  consent: ApprovalRecord | undefined,
  options: AdmitOptions,
  settings: Settings,
): Promise<Step> {
  const { clock, exits, openings, point, recorder } = parts
  const { scope, classification } = considered
  const schema = call.contract.definition.inputSchema
  const session = await sessionOf(parts, scope)
  if (session === undefined) return leave(await exits.refused(considered, { code: 'receipt_unavailable' }))

  considered.request = evaluationRequest(scope, considered, call, session.facts, consent)
  const askedAt = clock.monotonic()
  const asked = ask(point, considered.request, { budgetMs: settings.timeoutMs, clock, signal: options.signal, schema })
  // Only a promise is awaited: an embedded policy point answers on this very turn.
  const decision = asked instanceof Promise ? await asked : asked
  considered.decision = decision
  considered.decisionMs = clock.monotonic() - askedAt
  if (options.signal?.aborted === true) return leave(await exits.refused(considered, { code: 'cancelled' }))

  if (decision.kind === 'silence' && decision.cause.kind === 'requestable' && consent === undefined) {
    return { next: 'consent', requires: decision.cause.requires }
  }
  const ruling = rule(decision, classification.materiality, settings.failModes, openings, call.contract.id)
  if (ruling.kind === 'refuse') return leave(await exits.refused(considered, { code: ruling.code, explain: true }))
  if (decision.kind === 'permit' && decision.obligations.length > 0)
    return leave(await exits.refused(considered, { code: 'obligation_unmet' }))

  // INVARIANT I1, I2: the permit's receipt and its claim are durable, in one transaction, before an admission exists.
  const failedOpen = ruling.basis === 'fail_open'
  const prepared = exits.permitDraft(considered, { consent, basis: consent === undefined ? ruling.basis : 'approval' })
  try {
    const { receipt, committed } = await recorder.commit(
      prepared.draft,
      claimOf(parts, considered, call, consent, session.seen),
      prepared.sidecar,
    )
    if (committed.outcome === 'claimed' && receipt !== undefined)
      return leave(exits.permitted(considered, receipt, { failedOpen, signal: options.signal, salt: prepared.salt }))
    if (committed.outcome === 'taken') return leave(await exits.taken(considered, committed))
    return { next: 'again', spent: committed.outcome === 'approval_spent' }
  } catch {
    return leave(await exits.unwritten(considered, { failedOpen, signal: options.signal }))
  }
}

function evaluationRequest(
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

function claimOf(
  parts: GateParts,
  considered: Considered,
  call: Readied,
  consent: ApprovalRecord | undefined,
  seen: number | undefined,
): Claim {
  return {
    callKey: call.callKey,
    inputDigest: call.taken.digest,
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
async function sessionOf(
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

function digestOf(parts: GateParts, considered: Considered, call: Readied): string {
  return requestDigest({
    scope: considered.scope,
    contract: call.contract,
    inputDigest: call.taken.digest,
    policyDigest: parts.point.policyDigest,
  })
}

function readArguments(
  call: Call,
  contract: Contract | undefined,
  limits: Limits,
): Pick<Arrival, 'snapshot' | 'rejected'> {
  try {
    const taken = snapshot(call, limits)
    const miss = contract?.check(taken.parse())
    return { snapshot: taken, rejected: miss === undefined ? undefined : { path: miss.path, because: miss.requires } }
  } catch (cause) {
    if (cause instanceof HoldpointError)
      return { snapshot: undefined, rejected: { path: cause.at ?? '', because: cause.message } }
    return { snapshot: undefined, rejected: { path: '', because: 'could not be read' } }
  }
}

function leave(admission: Admission): Step {
  return { next: 'leave', admission }
}

function mintId(random: RandomBytes): string {
  return `minted-${Buffer.from(random(12)).toString('base64url')}`
}

function optional<K extends string, V>(name: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [key in K]: V })
}
