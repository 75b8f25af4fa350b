/** Decides recorded requests again: under the policies that decided them, and under others. */

import { readAnswer } from '../../decide/answer.ts'
import { CLOSED, createOpenBudget, rule } from '../../decide/fail-mode.ts'
import { createCedarPoint } from '../../policy/cedar.ts'
import { loadPolicies, type PolicyText } from '../../policy/load.ts'
import type { DecisionClaims } from '../../receipt/claims.ts'
import { MOST } from '../../receipt/limits.ts'
import type { Contract, Decision, EvaluationRequest, JsonSchema, RefusalCode } from '../../types.ts'
import { inferredSchema } from '../inferred-schema.ts'
import { toolOf } from '../receipts.ts'
import type { RecordedDecision } from './recorded-decisions.ts'
import type { Fate } from './replay-runs.ts'

/** A decision that would be another. */
export interface Change {
  /** The receipt's id. */
  readonly receipt: string
  readonly tool: string
  readonly was: Fate
  readonly now: Fate
  readonly code?: RefusalCode
}

/** A decision that the very policies of its receipt do not take (I7). */
export interface Contradiction {
  readonly receipt: string
  readonly tool: string
  /** What the receipt says. */
  readonly was: string
  /** What its policies say. */
  readonly now: string
  /** Was the tool's own schema at hand? Without it numbers and lists are taken for what the policies take them for. */
  readonly schema: 'stated' | 'guessed'
}

/** What becomes of one decision under one policy set. */
export type Judgement =
  | { readonly kind: 'as_recorded' }
  /** Decided under these very policies, and decided so again. */
  | { readonly kind: 'derived_again' }
  | { readonly kind: 'contradicted'; readonly contradiction: Contradiction }
  | { readonly kind: 'changed'; readonly change: Change }

/** Faults of answers that a policy set gives again; every other fault was the moment's. */
const LASTING: ReadonlySet<string> = new Set(['policy_error', 'unusable_policy'])

/**
 * Judges decisions under one policy set. Materiality, session facts and approvals are those that were recorded: what an earlier
 * call would have changed for a later one is not followed.
 *
 * @param tools contracts by definition digest, as far as somebody has them
 * @throws HoldpointError ERR_POLICY
 */
export function judgeUnder(
  policies: readonly PolicyText[],
  tools: ReadonlyMap<string, Contract>,
): { readonly digest: string; judge(recorded: RecordedDecision & { readonly request: EvaluationRequest }): Judgement } {
  const point = createCedarPoint(policies)
  const { policies: loaded } = loadPolicies(policies)
  const openings = createOpenBudget({ clock: { monotonic: () => 0 } })
  const { signal } = new AbortController()

  function schemaFor({ tool }: DecisionClaims): JsonSchema | undefined {
    return tool.definition === undefined ? undefined : tools.get(tool.definition)?.definition.inputSchema
  }

  return {
    digest: point.policyDigest,
    judge: ({ receipt, claims, request }) => {
      const stated = schemaFor(claims)
      const schema = stated ?? inferredSchema(request.context.arguments, loaded, request.resource.id)
      const decision = readAnswer(point.evaluate(request, { signal, schema }))
      const tool = toolOf(claims)
      // INVARIANT I7: under the policies that decided it, a decision comes out as it was.
      if (claims.policy.digest === point.policyDigest && isDerivable(claims)) {
        const [was, now] = [recordedText(claims), derivedText(decision, claims.code)]
        if (was === now) return { kind: 'derived_again' }
        const from = stated === undefined ? 'guessed' : 'stated'
        return { kind: 'contradicted', contradiction: { receipt, tool, was, now, schema: from } }
      }
      const ruling = rule(decision, request.resource.properties.materiality, CLOSED, openings, request.resource.id)
      const code = ruling.kind === 'refuse' ? ruling.code : undefined
      const [was, now] = [fateOf(claims.code), fateOf(code)]
      if (was === now) return { kind: 'as_recorded' }
      return { kind: 'changed', change: { receipt, tool, was, now, ...(code === undefined ? {} : { code }) } }
    },
  }
}

/** Was it the policies that spoke, and nothing that cannot be asked again? */
function isDerivable({ rederivable, basis, fault }: DecisionClaims): boolean {
  if (!rederivable || (basis !== 'pdp' && basis !== 'approval')) return false
  return fault === undefined || LASTING.has(fault)
}

/** `deny by refund-cap`, as the receipt has it. */
function recordedText({ decision, policy }: DecisionClaims): string {
  return said(decision, policy.determining)
}

/** The same of a decision now. A refused call is on record as never permitted, whatever the policies had said before. */
function derivedText(decision: Decision, code: string | undefined): string {
  const kind = code !== undefined && decision.kind === 'permit' ? 'silence' : decision.kind
  return said(
    kind,
    decision.determining.slice(0, MOST.policies).map((id) => id.slice(0, MOST.policyId).toWellFormed()),
  )
}

function said(kind: string, determining: readonly string[]): string {
  return determining.length === 0 ? kind : `${kind} by ${determining.join(', ')}`
}

/** A code that a person's yes takes away. Of observe mode, what would have been refused counts as refused. */
function fateOf(code: string | undefined): Fate {
  if (code === undefined) return 'ran'
  return code === 'approval_required' || code === 'approval_pending' ? 'asked' : 'stopped'
}
