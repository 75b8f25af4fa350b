import type { EntityUidJson, Expr, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { LoadedPolicy } from './load.ts'

/**
 * Does one policy provably apply to every call that another applies to? It does when its scope is at least as wide and each
 * of its conditions is also a condition of the other. `false` means no more than that this is not plain to see.
 */
export function covers(wider: LoadedPolicy, narrower: LoadedPolicy): boolean {
  const [wide, narrow] = [wider.json, narrower.json]
  const conditions = conditionsOf(narrow)
  return (
    (wide.principal.op === 'All' || same(wide.principal, narrow.principal)) &&
    (wide.resource.op === 'All' || same(wide.resource, narrow.resource)) &&
    coversAction(wide.action, narrow.action) &&
    [...conditionsOf(wide)].every((condition) => conditions.has(condition))
  )
}

/** Conditions that stand in a policy more than once, as the engine writes them. */
export function repeatedConditions(policy: LoadedPolicy): boolean {
  const all = policy.json.conditions.flatMap(piecesOf)
  return new Set(all).size < all.length
}

/** Everything that must hold for a policy to apply, a text each: the conjuncts of its `when`, the denied ones of its `unless`. */
function conditionsOf(json: PolicyJson): ReadonlySet<string> {
  return new Set(json.conditions.flatMap(piecesOf))
}

function piecesOf({ kind, body }: PolicyJson['conditions'][number]): readonly string[] {
  return operandsOf(body, kind === 'when' ? '&&' : '||').map((piece) => `${kind} ${JSON.stringify(piece)}`)
}

function operandsOf(body: Expr, operator: '&&' | '||'): readonly Expr[] {
  const operands = (body as Readonly<Record<string, { readonly left: Expr; readonly right: Expr } | undefined>>)[
    operator
  ]
  return operands === undefined
    ? [body]
    : [...operandsOf(operands.left, operator), ...operandsOf(operands.right, operator)]
}

type ActionScope = PolicyJson['action']

function coversAction(wide: ActionScope, narrow: ActionScope): boolean {
  if (wide.op === 'All' || same(wide, narrow)) return true
  const [names, others] = [namesOf(wide), namesOf(narrow)]
  // `in` a group names its members only at request time, so a group covers nothing but itself.
  return others.length > 0 && others.every((name) => names.includes(name))
}

function namesOf(scope: ActionScope): readonly string[] {
  if ('entity' in scope) return [idOf(scope.entity)]
  return 'entities' in scope ? scope.entities.map(idOf) : []
}

function idOf(uid: EntityUidJson): string {
  return '__entity' in uid ? uid.__entity.id : uid.id
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
