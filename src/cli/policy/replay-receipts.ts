/** Decides recorded requests again, under other policies than those that decided them. */

import { readAnswer } from '../../decide/answer.ts'
import { CLOSED, createOpenBudget, rule } from '../../decide/fail-mode.ts'
import { createCedarPoint } from '../../policy/cedar.ts'
import { type LoadedPolicy, loadPolicies, type PolicyText } from '../../policy/load.ts'
import { readReceipt } from '../../receipt/read.ts'
import type { Decision, EvaluationRequest, PolicyDecisionPoint, RefusalCode } from '../../types.ts'
import { requestIn } from '../explain.ts'
import { inferredSchema } from '../inferred-schema.ts'
import { readerOf, toolOf } from '../receipts.ts'
import type { Fate } from './replay-runs.ts'

/** What a decision receipt says of a call, and the request that it was about. */
export interface RecordedDecision {
  /** The receipt's id. */
  readonly receipt: string
  readonly tool: string
  readonly fate: Fate
  readonly code?: string
  readonly request: EvaluationRequest
}

/** The decisions of a store, as far as policies took them. */
export interface RecordedDecisions {
  readonly decisions: readonly RecordedDecision[]
  /** Decisions whose request was not kept, so that nothing can be decided again. */
  readonly withoutRequest: number
}

/** A decision that would be another. */
export interface Change {
  readonly receipt: string
  readonly tool: string
  readonly was: Fate
  readonly now: Fate
  readonly code?: RefusalCode
}

/** What policies took a decision on; the rest is holdpoint's own, and stays what it is. */
const BY_POLICY: ReadonlySet<string> = new Set(['pdp', 'approval', 'fail_open', 'override'])

/**
 * The decisions of a store's folder. Of observe mode, what would have been refused counts as refused.
 *
 * @throws UnusableInput when there is no store
 */
export async function decisionsIn(folder: string): Promise<RecordedDecisions> {
  const reader = readerOf(folder)
  const decisions: RecordedDecision[] = []
  let withoutRequest = 0
  try {
    for await (const receipt of reader.receipts()) {
      const claims = readReceipt(receipt.jws)
      if (claims.kind !== 'decision' || !BY_POLICY.has(claims.basis)) continue
      const request = requestIn(await reader.sidecar(receipt.hash))
      if (request === undefined) {
        withoutRequest += 1
        continue
      }
      const { code } = claims
      const said = { receipt: receipt.id, tool: toolOf(claims), fate: fateOf(code), request }
      decisions.push(code === undefined ? said : { ...said, code })
    }
  } finally {
    await reader.close()
  }
  return { decisions, withoutRequest }
}

/** A code that a person's yes takes away. */
function fateOf(code: string | undefined): Fate {
  if (code === undefined) return 'ran'
  return code === 'approval_required' || code === 'approval_pending' ? 'asked' : 'stopped'
}

/**
 * The decisions that the given policies would take otherwise. Materiality, session facts and approvals are those that were
 * recorded: what an earlier call would have changed for a later one is not followed.
 *
 * @throws HoldpointError ERR_POLICY
 */
export function changesUnder(
  policies: readonly PolicyText[],
  decisions: readonly RecordedDecision[],
): readonly Change[] {
  const point = createCedarPoint(policies)
  const { policies: loaded } = loadPolicies(policies)
  const openings = createOpenBudget({ clock: { monotonic: () => 0 } })
  return decisions.flatMap(({ receipt, tool, fate: was, request }): readonly Change[] => {
    const { materiality } = request.resource.properties
    const ruling = rule(decided(point, request, loaded), materiality, CLOSED, openings, request.resource.id)
    const code = ruling.kind === 'refuse' ? ruling.code : undefined
    const now = fateOf(code)
    if (now === was) return []
    return [code === undefined ? { receipt, tool, was, now } : { receipt, tool, was, now, code }]
  })
}

/** A receipt does not keep the tool's schema, so one is guessed from the arguments. */
function decided(point: PolicyDecisionPoint, request: EvaluationRequest, policies: readonly LoadedPolicy[]): Decision {
  const { signal } = new AbortController()
  const schema = inferredSchema(request.context.arguments, policies, request.resource.id)
  return readAnswer(point.evaluate(request, { signal, schema }))
}
