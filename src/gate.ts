import { askPerson } from './consent.ts'
import { ask } from './decide/deadline.ts'
import { rule } from './decide/fail-mode.ts'
import { HoldpointError } from './errors.ts'
import { claimOf, evaluationRequest, type Readied, sessionOf, turnOf } from './evaluation.ts'
import { classify } from './materiality/classify.ts'
import { objection } from './objection.ts'
import type { GateParts } from './parts.ts'
import { type Arrival, type Considered, UNCLASSIFIED } from './pass.ts'
import type { Admission, AdmitOptions, ApprovalRecord, Scope } from './types.ts'

/** How often one call is decided again because a session or an approval moved while it was being decided. */
const MOST_ROUNDS = 4

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
  const considered: Considered = { scope, arrival, classification: UNCLASSIFIED, startedAt: parts.clock.monotonic() }
  try {
    if (!parts.recorder.isOpen) await parts.recorder.ready()
  } catch {
    return parts.exits.unrecorded(considered)
  }
  try {
    return await considerCall(parts, considered, options)
  } catch {
    // INVARIANT I4: a fault of our own is not a permit either.
    return await parts.exits.refused(considered, { code: 'policy_error', sentence: 'The gate failed while deciding.' })
  }
}

/** Contract and classification; then the decision. */
async function considerCall(parts: GateParts, considered: Considered, options: AdmitOptions): Promise<Admission> {
  const { exits } = parts
  const { arrival } = considered
  const { contract, snapshot: taken, input = {} } = arrival
  if (contract === undefined) {
    const isKnown = parts.tools.find(arrival.server, arrival.call.tool) !== undefined
    return await exits.refused(considered, { code: isKnown ? 'tool_changed' : 'tool_unknown' })
  }
  considered.classification = classify(contract, input)
  if (arrival.rejected !== undefined || taken === undefined || arrival.callKey === undefined)
    return await exits.rejected(considered)

  const { callKey } = arrival
  const against = objection(parts, considered, { contract, callKey, input })
  if (against !== undefined) return await exits.refused(considered, against)
  return await decide(parts, considered, { contract, taken, callKey }, options)
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
): Promise<Admission> {
  const { exits } = parts
  const turn = turnOf(parts, considered.scope)
  let consent: ApprovalRecord | undefined
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const granted = consent
    const step = await parts.turns.take(
      turn,
      () => decideOnce(parts, considered, call, granted, options),
      options.signal,
    )
    if (step === undefined) break
    if (step.next === 'leave') return step.admission
    if (step.next === 'again') {
      consent = step.spent ? undefined : consent
      continue
    }
    const asked = await askPerson(parts, considered, call, step.requires, options)
    if (!asked.given) return asked.admission
    consent = asked.consent
  }
  return await exits.refused(considered, { code: options.signal?.aborted === true ? 'cancelled' : 'overloaded' })
}

/** One decision under the budget, ruled by the fail mode, and its claim. */
async function decideOnce(
  parts: GateParts,
  considered: Considered,
  call: Readied,
  consent: ApprovalRecord | undefined,
  options: AdmitOptions,
): Promise<Step> {
  const { clock, exits, openings, point, recorder, settings } = parts
  const { scope, classification } = considered
  const schema = call.contract.definition.inputSchema
  const session = await sessionOf(parts, scope)
  if (session === undefined) return leave(await exits.refused(considered, { code: 'receipt_unavailable' }))

  considered.request = evaluationRequest(scope, considered, call, session.facts, consent)
  considered.policyDigest = point.policyDigest
  const askedAt = clock.monotonic()
  const asked = ask(point, considered.request, { budgetMs: settings.timeoutMs, clock, signal: options.signal, schema })
  // Only a promise is awaited: an embedded policy point answers on this very turn.
  const decision = asked instanceof Promise ? await asked : asked
  considered.decision = decision
  considered.decisionMs = clock.monotonic() - askedAt
  if (options.signal?.aborted === true) return leave(await exits.refused(considered, { code: 'cancelled' }))
  // An answer of one policy is no answer of another that took its place meanwhile.
  if (point.policyDigest !== considered.policyDigest)
    return leave(await exits.refused(considered, { code: 'policy_stale' }))

  if (
    decision.kind === 'silence' &&
    decision.cause.kind === 'requestable' &&
    consent === undefined &&
    !exits.observing()
  ) {
    return { next: 'consent', requires: decision.cause.requires }
  }
  const ruling = rule(decision, classification.materiality, settings.failModes, openings, call.contract.id)
  if (ruling.kind === 'refuse') return leave(await exits.refused(considered, { code: ruling.code, explain: true }))
  if (decision.kind === 'permit' && decision.obligations.length > 0)
    return leave(await exits.refused(considered, { code: 'obligation_unmet' }))
  if (options.requires !== undefined && consent === undefined && !exits.observing())
    return { next: 'consent', requires: options.requires }

  // INVARIANT I1, I2: the permit's receipt and its claim are durable, in one transaction, before an admission exists.
  const failedOpen = ruling.basis === 'fail_open'
  const basis = consent === undefined || failedOpen ? ruling.basis : 'approval'
  const prepared = exits.permitDraft(considered, { consent, basis })
  try {
    const { receipt, committed } = await recorder.commit(
      prepared.draft,
      claimOf(parts, considered, call, consent, session.seen),
      prepared.sidecar,
    )
    if (committed.outcome === 'claimed' && receipt !== undefined) {
      const permitted = exits.permitted(considered, receipt, {
        failedOpen,
        signal: options.signal,
        salt: prepared.salt,
      })
      if (!exits.ranUnrecorded(call.callKey)) return leave(permitted)
      // INVARIANT I2: another call with this key ran without a receipt while this one was being decided.
      await permitted.settle({ status: 'not_executed' })
      return leave(await exits.refused(considered, { code: 'already_executed', basis: 'replay' }))
    }
    if (committed.outcome === 'taken') return leave(await exits.taken(considered, committed))
    return { next: 'again', spent: committed.outcome === 'approval_spent' }
  } catch (cause) {
    const isLost = cause instanceof HoldpointError && cause.code === 'ERR_STORE'
    return leave(exits.unwritten(considered, { failedOpen, isLost, signal: options.signal }))
  }
}

function leave(admission: Admission): Step {
  return { next: 'leave', admission }
}
