import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { addDecimals, decimalText } from '../bytes/decimal.ts'
import { pathOf } from '../bytes/pointer.ts'
import { type Counted, type EvaluationRequest, type Json, type JsonSchema, SURFACES, type Sums } from '../types.ts'
import { decimal, encodeRead, unrepresentable } from './encode.ts'
import type { Question } from './engine.ts'
import { entityKey, type PolicyReads, type Reads, readsInside } from './reads.ts'
import { own, shapeOf, valueAt } from './shape.ts'

type Uid = { readonly type: string; readonly id: string }
type CedarRecord = Record<string, CedarValueJson>
/** As Cedar takes it; its `uid` in the plain form. */
type Entity = EntityJson & { readonly uid: Uid }

const UNTYPED = shapeOf(undefined)
const MOST_ACTIONS = 4_096

/**
 * Writes evaluation requests as questions to Cedar:
 *
 * - principal `User::"alice"` or `Agent::"support"`, in `Role::"…"` for each role, with `tenant` where there is one;
 * - action `Action::"server/tool"` in `Action::"<materiality of this call>"` and `Action::"surface-<…>"` for each surface;
 * - resource `Server::"server"`;
 * - context: `arguments` and `lengths`, `derived`, `environment`, `session`, `approval` {confirmed, roles}, `agent` (a string).
 *
 * `context.session.here` is worked out here, since Cedar cannot add decimals: `calls` and `spent` of this very tool so far,
 * `after` = `spent` plus the `/amount` of this call, the same of this call's `surface`, and both in the `hour` and the `day`.
 *
 * Only what the policies read crosses into the engine: nothing else can change its answer.
 */
export class Questioner {
  readonly #reads: PolicyReads
  readonly #actions = new Map<string, Entity>()

  constructor(reads: PolicyReads) {
    this.#reads = reads
  }

  question(request: EvaluationRequest, schema: JsonSchema | undefined): Question {
    const { subject, resource } = request
    const principal: Uid = { type: subject.type === 'user' ? 'User' : 'Agent', id: subject.id }
    const action = this.#action(request)
    const parents = this.#named(rolesOf(request).map((id) => ({ type: 'Role', id })))
    const tenant = this.#reads.tenant ? subject.properties['tenant'] : undefined
    const attrs: CedarRecord = typeof tenant === 'string' ? { tenant } : {}
    const entities = [{ uid: principal, attrs, parents }, action].filter((entity) => isWorthTelling(entity))
    return {
      principal,
      action: action.uid,
      resource: { type: 'Server', id: resource.properties.server },
      context: this.#context(request, schema),
      entities,
    }
  }

  /** INVARIANT I8: the tier is this call's own, so the parents come with the question and never from a schema. */
  #action(request: EvaluationRequest): Entity {
    const { id, properties } = request.resource
    const surfaces = properties.surfaces ?? [properties.surface]
    const key = `${properties.materiality} ${surfaces.join(' ')} ${id}`
    const known = this.#actions.get(key)
    if (known !== undefined) return known
    const parents = this.#named([
      { type: 'Action', id: properties.materiality },
      ...surfaces.map((surface) => ({ type: 'Action', id: `surface-${surface}` })),
    ])
    const action = { uid: { type: 'Action', id }, attrs: {}, parents }
    if (this.#actions.size >= MOST_ACTIONS) this.#actions.clear()
    this.#actions.set(key, action)
    return action
  }

  /** Those that some policy names. */
  #named(uids: readonly Uid[]): Uid[] {
    return uids.filter((uid) => this.#reads.named.has(entityKey(uid)))
  }

  #context(request: EvaluationRequest, schema: JsonSchema | undefined): CedarRecord {
    const { context } = request
    const record: CedarRecord = {}
    const put = (name: string, value: Json | undefined, shape = UNTYPED): void => {
      const reads = readsInside(this.#reads.context, name)
      if (reads === undefined || value === undefined || value === null) return
      record[name] = encodeRead(value, shape, reads)
    }
    put('arguments', context.arguments, shapeOf(schema))
    put('lengths', context.lengths)
    put('environment', context.environment)
    put('agent', context.agent)
    put('approval', { confirmed: context.approval.confirmed, roles: context.approval.roles })
    const [derived, session] = ['derived', 'session'].map((name) => readsInside(this.#reads.context, name))
    if (derived !== undefined) record['derived'] = encodeDerived(context, derived)
    if (session !== undefined) record['session'] = encodeSession(request, session)
    return record
  }
}

/** An entity without parents and attributes says no more than its name in the question. */
function isWorthTelling({ parents, attrs }: Entity): boolean {
  return parents.length > 0 || Object.keys(attrs).length > 0
}

function rolesOf(request: EvaluationRequest): readonly string[] {
  const { roles } = request.subject.properties
  if (roles === undefined) return []
  if (!Array.isArray(roles) || roles.some((role) => typeof role !== 'string'))
    throw new TypeError('roles are not strings')
  return roles as readonly string[]
}

/**
 * Derived facts are ours; `amount` is decimal text there. Of any number that a policy asks about, the amount is stated here:
 * what it is called says whether a receipt should carry it, not whether a rule may compare it.
 */
function encodeDerived({ derived, arguments: input }: EvaluationRequest['context'], reads: Reads): CedarRecord {
  const record: CedarRecord = {}
  for (const pointer of reads === 'all' ? Object.keys(derived) : reads.keys()) {
    const facts = Object.hasOwn(derived, pointer) ? derived[pointer] : undefined
    const { amount = numberAt(input, pointer), ...others } = facts ?? {}
    if (facts === undefined && amount === undefined) continue
    const encoded = encodeRead(others, UNTYPED, readsInside(reads, pointer) ?? 'all') as CedarRecord
    if (amount !== undefined) encoded['amount'] = encodeMoney(amount)
    record[pointer] = encoded
  }
  return record
}

/** The number at a pointer as decimal text; nothing where there is none, or no decimal is equal to it. */
function numberAt(input: Json, pointer: string): string | undefined {
  const value = valueAt(input, pathOf(pointer))
  return typeof value === 'number' ? decimalText(value) : undefined
}

function encodeSession({ context, resource }: EvaluationRequest, reads: Reads): CedarRecord {
  const { session, arguments: input } = context
  const amount = own(input, 'amount')[0]
  const so = (sums: Sums, name: string): Members => {
    const spent = own(sums.spent, name)[0] ?? '0.0'
    return {
      calls: () => encodeRead(own(sums.calls, name)[0] ?? 0, UNTYPED, 'all'),
      spent: () => encodeMoney(spent),
      after: () => spentAfter(spent, amount),
    }
  }
  const here = (counted: Counted): Members => ({
    ...so(counted, resource.id),
    surface: so(counted.surfaces, resource.properties.surface),
  })
  const members: Members = {
    ...countedMembers(session),
    hour: countedMembers(session.hour),
    day: countedMembers(session.day),
    private_data_read: () => session.private_data_read,
    untrusted_content_read: () => session.untrusted_content_read,
    here: { ...here(session), hour: here(session.hour), day: here(session.day) },
  }
  return encodeMembers(members, reads)
}

/** A record whose members are written when somebody reads them. */
interface Members {
  readonly [member: string]: (() => CedarValueJson) | Members
}

function encodeMembers(members: Members, reads: Reads): CedarRecord {
  const record: CedarRecord = {}
  for (const [name, member] of Object.entries(members)) {
    const inside = readsInside(reads, name)
    if (inside !== undefined) record[name] = typeof member === 'function' ? member() : encodeMembers(member, inside)
  }
  return record
}

/** Tools without a call are absent; every surface is there, so that no rule need ask with `has`. */
function countedMembers({ calls, spent, surfaces }: Counted): Members {
  const none = <T extends Json>(value: T) => Object.fromEntries(SURFACES.map((surface) => [surface, value]))
  return {
    calls: () => encodeRead(calls, UNTYPED, 'all'),
    spent: () => encodeSums(spent),
    surfaces: {
      calls: () => encodeRead({ ...none(0), ...surfaces.calls }, UNTYPED, 'all'),
      spent: () => encodeSums({ ...none('0.0'), ...surfaces.spent }),
    },
  }
}

function encodeSums(sums: Sums['spent']): CedarRecord {
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, encodeMoney(sum)]))
}

/** An amount that cannot be added exactly makes every rule on the sum err: a budget is never passed by being unreadable. */
function spentAfter(spent: Json, amount: Json | undefined): CedarValueJson {
  if (amount === undefined || amount === null) return encodeMoney(spent)
  const text = typeof amount === 'number' ? decimalText(Math.max(0, amount)) : undefined
  const sum = text === undefined || typeof spent !== 'string' ? undefined : addDecimals(spent, text)
  return sum === undefined ? unrepresentable(amount) : decimal(sum)
}

function encodeMoney(value: Json): CedarValueJson {
  const text = typeof value === 'string' ? decimalText(value) : undefined
  return text === undefined ? unrepresentable(value) : decimal(text)
}
