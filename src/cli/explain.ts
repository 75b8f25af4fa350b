/** Works out why, from a decision receipt and the request beside it. */
import { canonicalText } from '../bytes/canonical.ts'
import { derive } from '../call/derived.ts'
import { compileSchema } from '../call/schema-check.ts'
import { readAnswer } from '../decide/answer.ts'
import { createCedarPoint } from '../policy/cedar.ts'
import { type ArgumentChange, createChangeFinder } from '../policy/change.ts'
import { loadPolicies, type PolicySet, type PolicyText } from '../policy/load.ts'
import type { Decision, EvaluationRequest, Explanation, JsonSchema, PolicyDecisionPoint, Sidecar } from '../types.ts'
import { type Explained, isPolicies } from './explanation.ts'
import { inferredSchema } from './inferred-schema.ts'
import type { DecisionReceipt } from './receipts.ts'

/** The request that a decision was about, where it was kept. */
export function requestIn(sidecar: Sidecar | undefined): EvaluationRequest | undefined {
  return sidecar === undefined ? undefined : (JSON.parse(sidecar.request) as EvaluationRequest)
}

/**
 * Explains a decision by the given policies. Says so where they are not the ones that decided, and where the arguments
 * are gone.
 */
export function explain(
  { receipt, claims }: DecisionReceipt,
  kept: EvaluationRequest | undefined,
  policies: readonly PolicyText[],
  schema: JsonSchema | undefined,
): Explained {
  const point = createCedarPoint(policies)
  const set = loadPolicies(policies)
  const same = point.policyDigest === claims.policy.digest
  const notes: string[] = []
  const elsewhere = (claims.pdp?.id ?? 'cedar').split('+').filter((id) => id !== 'cedar' && id !== 'function')
  const isElsewhere = elsewhere.length > 0 && !claims.pdp?.id.split('+').includes('cedar')
  // Policies that were not asked explain nothing.
  const request = isElsewhere ? undefined : kept
  if (isElsewhere) {
    notes.push(`${elsewhere.join(' and ')} decided this; its policies are not known here`)
  } else if (elsewhere.length > 0) {
    notes.push(
      `${elsewhere.join(' and ')} had to permit this as well; the policies shown are those of the configuration`,
    )
  } else if (request === undefined && claims.request !== undefined) {
    notes.push('the arguments were not kept (sidecar: none), so the conditions cannot be shown')
  } else if (request !== undefined && !claims.rederivable) {
    notes.push('a function decided this; the policies shown are those of the configuration')
  } else if (request !== undefined && !same) {
    notes.push('the policies have changed since; this is what the present ones say')
  }
  const known = request === undefined ? undefined : explained(point, request, set, schema)
  return {
    receipt: receipt.id,
    claims,
    argumentsText: kept === undefined ? undefined : canonicalText(kept.context.arguments),
    explanation:
      known === undefined || request === undefined ? undefined : withSurroundings(known.explanation, request),
    change:
      known === undefined || request === undefined || !isPolicies(claims.code)
        ? undefined
        : smallestChange(point, set, request, known.schema, schema),
    sentences: same && isPolicies(claims.code) ? sentencesOf(claims.policy.determining, set, known?.decision) : [],
    notes,
  }
}

interface Known {
  readonly explanation: Explanation
  readonly schema: JsonSchema
  /** What these policies decide. */
  readonly decision: Decision
}

/** The tool's schema is not kept beside a receipt, so one is guessed from the arguments. */
function explained(
  point: PolicyDecisionPoint,
  request: EvaluationRequest,
  { policies }: PolicySet,
  stated: JsonSchema | undefined,
): Known {
  const schema = stated ?? inferredSchema(request.context.arguments, policies, request.resource.id)
  const { signal } = new AbortController()
  const decision = readAnswer(point.evaluate(request, { signal, schema }))
  return { explanation: point.explain(request, schema), schema, decision }
}

/** The fewest changes of arguments that the policies would permit, each asked of them; materiality is taken to stay as it is. */
function smallestChange(
  point: PolicyDecisionPoint,
  set: PolicySet,
  request: EvaluationRequest,
  schema: JsonSchema,
  stated: JsonSchema | undefined,
): readonly ArgumentChange[] | undefined {
  const check = compileSchema(stated, 'own')
  const { signal } = new AbortController()
  return createChangeFinder(set.digest, set.policies)(request, schema, (input) => {
    if (check(input) !== undefined) return false
    const changed = { ...request, context: { ...request.context, arguments: input, ...derive(input) } }
    return readAnswer(point.evaluate(changed, { signal, schema })).kind === 'permit'
  })
}

/** A requirement that names a fact of the environment, with the value that it had. */
function withSurroundings({ policies, constraints }: Explanation, { context }: EvaluationRequest): Explanation {
  const facts = new Map(Object.entries(context.environment))
  const said = (text: string): string =>
    text.replaceAll(/\bcontext\.environment\.(\w+)/g, (path: string, name: string) =>
      facts.has(name) ? `${JSON.stringify(facts.get(name))} (${path})` : path,
    )
  const withValue = <T extends { readonly requires?: string }>(condition: T): T =>
    condition.requires === undefined ? condition : { ...condition, requires: said(condition.requires) }
  return {
    policies: policies.map((policy) => ({ ...policy, conditions: policy.conditions.map(withValue) })),
    constraints: constraints.map(withValue),
  }
}

/** A receipt keeps no sentence: those of the policies that decided, or the one that stands above several of them. */
function sentencesOf(
  determining: readonly string[],
  { policies }: PolicySet,
  decision: Decision | undefined,
): readonly string[] {
  const written = policies.flatMap(({ id, refusal }) =>
    refusal !== undefined && determining.includes(id) ? [refusal] : [],
  )
  const said = decision?.kind === 'deny' ? decision.sentence : undefined
  const isAboutThese = decision?.determining.join() === determining.join()
  return said !== undefined && isAboutThese && !written.includes(said) ? [said] : written
}
