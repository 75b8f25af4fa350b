import { amendedCall, isOwn, isRedaction, reclassify, redactionsOf, takeUp } from './amend.ts'
import { claim } from './claim.ts'
import { askPerson } from './consent.ts'
import { Budget } from './decide/budget.ts'
import { CLOSED, codeOf, rule } from './decide/fail-mode.ts'
import { toolName } from './draft.ts'
import { digestOf, evaluationRequest, type Readied, sessionOf, turnOf } from './evaluation.ts'
import type { Leaving } from './exits.ts'
import { mayHold, Waiting } from './hold.ts'
import { classify } from './materiality/classify.ts'
import { objection, quarantined } from './objection.ts'
import type { GateParts } from './parts.ts'
import { type Arrival, type Considered, UNCLASSIFIED } from './pass.ts'
import { leave, type Round, type Step } from './step.ts'
import type { Admission, AdmitOptions, ApprovalRecord, Decision, Obligation, Scope, SilenceCause } from './types.ts'

/** A permit's obligations make another call of it, for which the policies want somebody else's yes. */
const OTHER_YES =
  'The policies want another yes for what would run than for what was asked for, and a call carries one.'
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
    const leftOut = parts.tools.quarantined(arrival.server).get(arrival.call.tool)
    return await exits.refused(considered, { code: isKnown ? 'tool_changed' : (leftOut ?? 'tool_unknown') })
  }
  considered.classification = classify(contract, input)
  const quarantine = parts.tools.quarantineOf(contract)
  if (quarantine !== undefined) return await exits.refused(considered, quarantined(quarantine))
  if (arrival.rejected !== undefined || taken === undefined || arrival.callKey === undefined)
    return await exits.rejected(considered)

  const call = { contract, taken, callKey: arrival.callKey }
  const against = objectionTo(parts, considered, call)
  if (against !== undefined) return await exits.refused(considered, against)
  return await decide(parts, considered, call, options)
}

/** What the gate itself has against a call with these arguments. */
function objectionTo(parts: GateParts, considered: Considered, { contract, taken, callKey }: Readied) {
  return objection(parts, considered, { contract, callKey, input: taken.parse(), beside: taken.parseBeside() })
}

/** The yes with which the arguments were amended is gone: the call is as it came. */
function restart(considered: Considered, asked: Readied): void {
  delete considered.amended
  reclassify(considered, asked)
}

type Requestable = Extract<SilenceCause, { readonly kind: 'requestable' }>

/** Decide and permit; between two decisions, a person's consent or a policy point's return. */
async function decide(
  parts: GateParts,
  considered: Considered,
  asked: Readied,
  options: AdmitOptions,
): Promise<Admission> {
  const { clock, exits, settings, turns } = parts
  const turn = turnOf(parts, considered.scope)
  const waiting = new Waiting(parts, considered, options)
  let budget = new Budget(settings.timeoutMs, clock)
  let consent: ApprovalRecord | undefined
  let rounds = 0
  try {
    while (rounds < MOST_ROUNDS) {
      const call = amendedCall(considered, asked)
      const round = { options, budget, consent }
      const step = await turns.take(turn, () => decideOnce(parts, considered, call, round), options.signal)
      budget.rest()
      if (step === undefined) break
      if (step.next === 'leave') return step.admission
      if (step.next === 'hold') {
        // However often it is tried, a held call ends with its time.
        const released = await waiting.wait()
        if (released === 'cancelled') break
        if (released !== 'again') return await exits.refused(considered, silenced(considered))
        if (!stands(parts, considered, call)) return await exits.refused(considered, { code: 'tool_changed' })
        considered.held = true
        budget = new Budget(settings.timeoutMs, clock)
        continue
      }
      if (step.next === 'amended') {
        // INVARIANT I3: a yes to other arguments is none to these.
        consent = undefined
        const against = objectionTo(parts, considered, amendedCall(considered, asked))
        if (against !== undefined) return await exits.refused(considered, against)
        continue
      }
      rounds += 1
      if (step.next === 'again') {
        consent = step.spent ? undefined : consent
        if (step.spent && considered.amended?.spends !== undefined) restart(considered, asked)
        continue
      }
      // A person takes their own time, and nobody's place.
      waiting.end()
      const answered = await askPerson(parts, considered, call, step, options)
      if (!answered.given) return answered.admission
      if (!stands(parts, considered, call)) return await exits.refused(considered, { code: 'tool_changed' })
      consent = answered.consent
      // With the yes comes another question.
      budget = new Budget(settings.timeoutMs, clock)
    }
  } finally {
    waiting.end()
  }
  return await exits.refused(considered, { code: options.signal?.aborted === true ? 'cancelled' : 'overloaded' })
}

/** Is the tool still the one that the call was made for? While it waited, its server may have listed another, or its pin gone. */
function stands({ tools }: GateParts, { arrival }: Considered, { contract }: Readied): boolean {
  const isListed = tools.find(arrival.server, arrival.call.tool, arrival.call.definition) === contract
  return isListed && tools.quarantineOf(contract) === undefined
}

/** One decision within the budget, ruled by the fail mode, and its claim. */
async function decideOnce(parts: GateParts, considered: Considered, call: Readied, round: Round): Promise<Step> {
  const { clock, exits, openings, panel, settings } = parts
  const { scope } = considered
  const { materiality } = considered.classification
  const { budget, consent, options } = round
  budget.resume()
  const session = await sessionOf(parts, scope)
  if (session === undefined) return leave(await exits.refused(considered, { code: 'receipt_unavailable' }))

  considered.request = evaluationRequest(scope, considered, call, session.facts, consent)
  considered.policyDigest = panel.policyDigest
  // INVARIANT I3: while a person thought, another policy may have taken the place of the one that asked them.
  if (consent !== undefined && consent.requestDigest !== digestOf(parts, considered, call))
    return { next: 'again', spent: true }
  const askedAt = clock.monotonic()
  const asked = panel.ask(considered.request, {
    budgetMs: budget.leftMs,
    clock,
    signal: options.signal,
    schema: call.contract.definition.inputSchema,
    late: (point) => overrule(parts, considered, point),
  })
  // Only a promise is awaited: an embedded policy point answers on this very turn.
  const decision = asked instanceof Promise ? await asked : asked
  considered.decision = decision
  considered.decisionMs = clock.monotonic() - askedAt
  if (options.signal?.aborted === true) return leave(await exits.refused(considered, { code: 'cancelled' }))
  // An answer of one policy is no answer of another that took its place meanwhile.
  if (panel.policyDigest !== considered.policyDigest)
    return leave(await exits.refused(considered, { code: 'policy_stale' }))

  const isAsked = consent === undefined && !exits.observing()
  if (isAsked && decision.kind === 'silence' && decision.cause.kind === 'requestable')
    return await beforeAsking(parts, considered, call, decision.cause, round)
  // INVARIANT I4: what policy obliged to is not forgotten by its falling silent: nothing opens for an amended call.
  const modes = considered.amended === undefined ? settings.failModes : CLOSED
  const ruling = rule(decision, materiality, modes, openings, call.contract.id)
  const grounds = { ...round, seen: session.seen }
  if (ruling.kind === 'refuse') {
    const question = { decision, materiality, tool: call.contract.id, scope }
    // What is merely observed runs anyway, and uses nothing up.
    const isBarred = exits.observing() || considered.amended !== undefined
    const override = isBarred ? undefined : await parts.overrides.find(question)
    // The tool's own wish for a person's yes stands, whoever spoke for the call.
    if (override !== undefined && isAsked && options.requires !== undefined)
      return { next: 'consent', requires: options.requires, quorum: 1 }
    if (override !== undefined) return await claim(parts, considered, call, { ...grounds, basis: 'override', override })
    if (mayHold(considered, options) && !exits.observing()) return { next: 'hold' }
    return leave(await exits.refused(considered, { code: ruling.code, explain: true }))
  }
  if (decision.kind === 'permit' && !exits.observing()) {
    const taken = takeUp(parts, considered, call, decision, round)
    if (taken === 'amended') return { next: 'amended' }
    if (taken !== 'none') return leave(await exits.refused(considered, taken))
  }
  const { wanted } = considered.amended ?? {}
  if (isAsked && wanted !== undefined) return { next: 'consent', ...wanted }
  if (isAsked && options.requires !== undefined) return { next: 'consent', requires: options.requires, quorum: 1 }
  if (decision.kind === 'permit' && !(await obliged(parts, considered, decision, round)))
    return leave(await exits.refused(considered, { code: 'obligation_unmet' }))
  return await claim(parts, considered, call, { ...grounds, basis: ruling.basis })
}

/**
 * Asks a person once, about what would run: what the permit that waits for them obliges to of the arguments is done before.
 *
 * INVARIANT I3: what is asked about then has been decided with these arguments, and so it is again after the yes.
 */
async function beforeAsking(
  parts: GateParts,
  considered: Considered,
  call: Readied,
  { requires, quorum = 1, obligations = [] }: Requestable,
  round: Round,
): Promise<Step> {
  const { exits } = parts
  const earlier = considered.amended?.wanted
  // A call carries one yes, so nobody is asked for either of two.
  if (earlier !== undefined && earlier.requires !== requires)
    return leave(await exits.refused(considered, { code: 'obligation_unmet', sentence: OTHER_YES }))
  // Nobody is asked in vain: what no yes makes possible here is refused before.
  if (!isMeetable(parts, obligations, round.options))
    return leave(await exits.refused(considered, { code: 'obligation_unmet' }))
  const wanted = { requires, quorum: Math.max(quorum, earlier?.quorum ?? 1) }
  const taken = takeUp(parts, considered, call, { obligations, wanted }, round)
  if (taken === 'none') return { next: 'consent', ...wanted }
  return taken === 'amended' ? { next: 'amended' } : leave(await exits.refused(considered, taken))
}

/** Is there somebody here for each of these? */
function isMeetable(
  { obligations: { types } }: GateParts,
  owed: readonly Obligation[],
  { obliging }: AdmitOptions,
): boolean {
  return owed.every((one) => (isOwn(one) ? !isRedaction(one) || obliging === 'all' : types.includes(one.type)))
}

/** Meets what a permit obliges to, within what is left of the budget. Nothing is done for a call that is merely observed. */
async function obliged(
  { exits, obligations }: GateParts,
  considered: Considered,
  permit: Extract<Decision, { readonly kind: 'permit' }>,
  { budget, options }: Round,
): Promise<boolean> {
  if (permit.obligations.length === 0) return true
  if (exits.observing()) return false
  // INVARIANT I4: a host that does not show results through `reveal` cannot keep a part of them back.
  if (redactionsOf(permit).length > 0 && options.obliging !== 'all') return false
  const owed = permit.obligations.filter((obligation) => !isOwn(obligation))
  const { classification, scope } = considered
  const call = { tool: toolName(considered), materiality: classification.materiality, principal: scope.principal }
  return await obligations.fulfil(owed, { leftMs: budget.leftMs, signal: options.signal, call })
}

/** The refusal of a call that waited for a policy point in vain. */
function silenced({ decision }: Considered): Leaving {
  const code = decision?.kind === 'silence' ? codeOf(decision.cause) : 'policy_unavailable'
  return { code, explain: true }
}

/** A point that had not answered in time does not permit the call: what failed open and has not begun does not begin. */
function overrule({ emit }: GateParts, considered: Considered, point: string): void {
  considered.overruled = true
  emit({ event: 'verdict-late', point, tool: toolName(considered) })
}
