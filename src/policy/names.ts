import type { EntityUidJson, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { isToolId } from '../bytes/names.ts'
import { nearest } from '../bytes/nearest.ts'
import { hint } from './annotations.ts'
import type { Clause } from './load.ts'
import { blankLiterals } from './source.ts'
import { type Term, walk } from './term.ts'
import { ACTION_GROUPS, CONTEXT_MEMBERS, ENTITY_TYPES } from './vocabulary.ts'

/** An entity that a policy names. */
export interface NamedEntity {
  readonly type: string
  readonly id: string
}

/**
 * Refuses names that nothing ever bears. Cedar accepts them, and the rule then never applies: a `forbid` on
 * `Action::"surface-finance"` would be a rule that its author believes in and nobody is held to.
 */
export function checkNames(
  json: PolicyJson,
  clauses: readonly Clause[],
  text: string,
  fail: (within: number, message: string) => Error,
): void {
  for (const type of typesNamed(json, clauses)) {
    if (ENTITY_TYPES.has(type)) continue
    const at = Math.max(0, blankLiterals(text).indexOf(type))
    throw fail(at, `unknown entity type ${type}; ${hint(nearest(type, ENTITY_TYPES), [...ENTITY_TYPES])}`)
  }
  for (const { type, id } of entitiesNamed(json, clauses)) {
    if (type !== 'Action' || ACTION_GROUPS.has(id) || isToolId(id)) continue
    const at = Math.max(0, text.indexOf(`"${id}"`))
    const known = hint(nearest(id, ACTION_GROUPS), [...ACTION_GROUPS])
    throw fail(at, `unknown action group "${id}" (a tool is written "server/tool"); ${known}`)
  }
  for (const member of contextMembers(clauses)) {
    if (CONTEXT_MEMBERS.has(member)) continue
    const at = Math.max(0, blankLiterals(text).indexOf(`.${member}`))
    throw fail(at, `context has no "${member}"; ${hint(nearest(member, CONTEXT_MEMBERS), [...CONTEXT_MEMBERS])}`)
  }
}

/** Every entity literal in a policy, scope first. */
export function entitiesNamed(json: PolicyJson, clauses: readonly Clause[]): readonly NamedEntity[] {
  const found: NamedEntity[] = []
  const add = (uid: EntityUidJson | undefined): void => {
    if (uid !== undefined) found.push('__entity' in uid ? uid.__entity : uid)
  }
  const { principal, action, resource } = json
  if ('entity' in principal) add(principal.entity)
  if (principal.op === 'is' && principal.in !== undefined && 'entity' in principal.in) add(principal.in.entity)
  if ('entity' in action) add(action.entity)
  if ('entities' in action) for (const uid of action.entities) add(uid)
  if ('entity' in resource) add(resource.entity)
  if (resource.op === 'is' && resource.in !== undefined && 'entity' in resource.in) add(resource.in.entity)
  for (const term of termsOf(clauses)) {
    if (term.kind !== 'value') continue
    const { value } = term
    if (typeof value === 'object' && value !== null && '__entity' in value) add(value as EntityUidJson)
  }
  return found
}

function typesNamed(json: PolicyJson, clauses: readonly Clause[]): readonly string[] {
  const types = entitiesNamed(json, clauses).map((entity) => entity.type)
  for (const scope of [json.principal, json.resource]) if (scope.op === 'is') types.push(scope.entity_type)
  for (const term of termsOf(clauses)) if (term.kind === 'is') types.push(term.type)
  return types
}

function contextMembers(clauses: readonly Clause[]): readonly string[] {
  const members: string[] = []
  for (const term of termsOf(clauses)) {
    if ((term.kind !== 'get' && term.kind !== 'has') || term.of.kind !== 'variable' || term.of.name !== 'context')
      continue
    const member = term.kind === 'get' ? term.attribute : term.path[0]
    if (member !== undefined) members.push(member)
  }
  return members
}

function termsOf(clauses: readonly Clause[]): readonly Term[] {
  const terms: Term[] = []
  for (const clause of clauses) walk(clause.body, (term) => terms.push(term))
  return terms
}
