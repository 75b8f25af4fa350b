import { type Expr, type Policy, type PolicyJson, policyToText } from '@cedar-policy/cedar-wasm/nodejs'
import type { LoadedPolicy } from './load.ts'
import { readTerm, type Term } from './term.ts'

/** The smallest part of a policy that holds or does not: one side of its scope, or one conjunct of a condition. */
export interface Atom {
  /** Its name in the engine. */
  readonly key: string
  /** As Cedar writes it: `when context.arguments.amount <= 500`. */
  readonly text: string
  /** Absent for a side of the scope. */
  readonly term: Term | undefined
}

/** A `when` or `unless` in its atoms. */
export interface SplitClause {
  readonly kind: 'when' | 'unless'
  readonly join: 'all' | 'any'
  readonly atoms: readonly Atom[]
}

/** A policy taken apart, with the probes that find out which parts hold. */
export interface SplitPolicy {
  readonly policy: LoadedPolicy
  /** Name of the probe of the whole policy: does it apply? */
  readonly whole: string
  readonly scope: readonly Atom[]
  readonly clauses: readonly SplitClause[]
}

const EVERYTHING = {
  effect: 'permit',
  principal: { op: 'All' },
  action: { op: 'All' },
  resource: { op: 'All' },
  conditions: [],
} as const satisfies PolicyJson

/**
 * Takes policies apart into probes, each a permit on its own: one question to the engine then tells which atoms hold and
 * which err. The engine's own semantics explain its answer; there is no second evaluator that could disagree.
 */
export function splitPolicies(policies: readonly LoadedPolicy[]): {
  readonly split: readonly SplitPolicy[]
  readonly probes: ReadonlyMap<string, Policy>
} {
  const probes = new Map<string, Policy>()
  const probe = (key: string, part: Partial<PolicyJson>): string => {
    probes.set(key, { ...EVERYTHING, ...part })
    return key
  }
  const split = policies.map((policy, index): SplitPolicy => {
    const { principal, action, resource, conditions } = policy.json
    const whole = probe(`${index}`, { principal, action, resource, conditions })
    const sides: readonly (Partial<PolicyJson> | undefined)[] = [
      principal.op === 'All' ? undefined : { principal },
      action.op === 'All' ? undefined : { action },
      resource.op === 'All' ? undefined : { resource },
    ]
    const scope = sides.flatMap((side, at) =>
      side === undefined ? [] : [{ key: probe(`${index}/scope/${at}`, side), text: scopeText(side), term: undefined }],
    )
    const clauses = conditions.map((clause, at): SplitClause => {
      const join = '||' in clause.body ? 'any' : 'all'
      const atoms = pieces(clause.body, join === 'any' ? '||' : '&&').map((body, place): Atom => {
        const key = probe(`${index}/${at}/${place}`, { conditions: [{ kind: 'when', body }] })
        return { key, text: `${clause.kind} ${expressionText(body)}`, term: readTerm(body) }
      })
      return { kind: clause.kind, join, atoms }
    })
    return { policy, whole, scope, clauses }
  })
  return { split, probes }
}

/** The operands of a chain of one operator, left to right. */
function pieces(body: Expr, operator: '&&' | '||'): readonly Expr[] {
  const operands = (body as Readonly<Record<string, { readonly left: Expr; readonly right: Expr } | undefined>>)[
    operator
  ]
  return operands === undefined ? [body] : [...pieces(operands.left, operator), ...pieces(operands.right, operator)]
}

function expressionText(body: Expr): string {
  const printed = policyToText({ ...EVERYTHING, conditions: [{ kind: 'when', body }] })
  if (printed.type === 'failure') return 'a condition'
  return printed.text.replace(/^[\s\S]*?when\s*\{\s*/, '').replace(/\s*\};\s*$/, '')
}

/** `principal in Role::"finance"`. */
function scopeText(side: Partial<PolicyJson>): string {
  const printed = policyToText({ ...EVERYTHING, ...side })
  if (printed.type === 'failure') return 'the scope'
  const sides = printed.text.replace(/^\s*permit\s*\(\s*/, '').replace(/\s*\)\s*;\s*$/, '')
  const constrained = /(?:principal|action|resource)\s+(?:==|in|is)[\s\S]*?(?=,\s*(?:action|resource)\b|$)/.exec(sides)
  return (constrained?.[0] ?? sides).trim()
}
