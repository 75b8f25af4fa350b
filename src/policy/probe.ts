import type { EvaluationRequest, JsonSchema } from '../types.ts'
import { type Atom, type SplitClause, type SplitPolicy, splitPolicies } from './atoms.ts'
import { type ParsedPolicies, parsePolicies } from './engine.ts'
import type { LoadedPolicy } from './load.ts'
import { readsOf } from './reads.ts'
import { Questioner } from './request.ts'

export type Holds = boolean | 'error'

/** Policies in their parts, and which parts hold for one request. */
export interface Probed {
  readonly split: readonly SplitPolicy[]
  holds(key: string): Holds
}

/** Asks the engine which parts of policies hold; `undefined` when it cannot say. Prepared on the first question. */
export type Prober = (request: EvaluationRequest, schema: JsonSchema | undefined) => Probed | undefined

export function createProber(digest: string, policies: readonly LoadedPolicy[]): Prober {
  const questioner = new Questioner(readsOf(policies))
  let prepared: { readonly split: readonly SplitPolicy[]; readonly parsed: ParsedPolicies } | undefined
  return (request, schema) => {
    if (prepared === undefined) {
      const { split, probes } = splitPolicies(policies)
      prepared = { split, parsed: parsePolicies(`holdpoint/${digest}/atoms`, probes) }
    }
    const answer = prepared.parsed.answer(questioner.question(request, schema))
    if (answer.kind === 'failed') return undefined
    const [held, erred] = [new Set(answer.determining), new Set(answer.errors)]
    return { split: prepared.split, holds: (key) => (erred.has(key) ? 'error' : held.has(key)) }
  }
}

/** Must the clause's body be true for the call to run? */
export function wantsTrue(clause: SplitClause, policy: LoadedPolicy): boolean {
  return (policy.effect === 'permit') === (clause.kind === 'when')
}

/** The atoms that the engine got to: one that errs behind a sibling which had settled the matter was never looked at. */
export function reached(clause: SplitClause, holds: Probed['holds']): readonly Atom[] {
  const settling = clause.join === 'any'
  const settledAt = clause.atoms.findIndex((atom) => holds(atom.key) === settling)
  return clause.atoms.filter((atom, at) => settledAt === -1 || at <= settledAt || holds(atom.key) !== 'error')
}
