import type { JsonSchema, Materiality, Surface } from '../types.ts'
import { boundsOf, isNeverNegative } from './bounds.ts'
import { covers, repeatedConditions } from './covers.ts'
import type { LoadedPolicy } from './load.ts'
import { rawPaths } from './raw-paths.ts'
import { mayConcern, mayMeet, scopeOf } from './scope.ts'
import { placeIn } from './source.ts'
import { chainOf, type Term, walk } from './term.ts'

/** Something about a policy set that its author should know. A `mistake` is not what anybody means; `advice` may be. */
export interface Remark {
  readonly level: 'mistake' | 'advice'
  /** The policy's `@id`; absent where none is at fault. */
  readonly policy?: string
  /** `file:line:column`. */
  readonly at: string
  readonly message: string
}

/** A tool as policies meet it. */
export interface ReviewedTool {
  /** `server/tool`. */
  readonly id: string
  readonly at: string
  readonly materiality: Materiality
  readonly surface: Surface
  readonly schema: JsonSchema | undefined
}

/**
 * Looks over a policy set for what is legal and still hardly meant: rules that another one leaves nothing to, limits on single
 * payments that nobody adds up, paths compared as texts, tools that nobody speaks for.
 *
 * @param tools all tools of their servers; rules about other servers are taken at their word
 */
export function reviewPolicies(policies: readonly LoadedPolicy[], tools: readonly ReviewedTool[]): readonly Remark[] {
  return [
    ...policies.flatMap((policy) =>
      rawPaths(policy).map(({ within, message }) => remark('mistake', policy, message, within)),
    ),
    ...policies.flatMap((policy) => unreachable(policy, policies)),
    ...policies
      .filter(repeatedConditions)
      .map((policy) => remark('advice', policy, 'the same condition stands here twice')),
    ...uncounted(policies),
    ...unfloored(policies, tools),
    ...tools.filter((tool) => !policies.some((policy) => speaksFor(policy, tool))).map(unspokenFor),
  ]
}

/** A rule that can change nothing, because another one already says as much or more. */
function unreachable(policy: LoadedPolicy, policies: readonly LoadedPolicy[]): readonly Remark[] {
  const others = policies.filter((other) => other !== policy && covers(other, policy))
  const forbid = others.find(({ effect, requires }) => effect === 'forbid' && requires === undefined)
  if (policy.effect === 'permit') {
    if (forbid !== undefined) {
      return [remark('mistake', policy, `never permits anything: ${named(forbid)} forbids every call that it is about`)]
    }
    const free = others.find((other) => other.effect === 'permit' && other.requires === undefined)
    if (policy.requires !== undefined && free !== undefined) {
      return [remark('mistake', policy, `never asks anybody: ${named(free)} permits the same calls without a yes`)]
    }
    if (free !== undefined && policy.obligation === undefined && comesFirst(free, policy)) {
      return [remark('advice', policy, `adds nothing: ${named(free)} permits the same calls`)]
    }
    return []
  }
  if (forbid === undefined || !comesFirst(forbid, policy)) return []
  return [remark('advice', policy, `adds nothing: ${named(forbid)} forbids the same calls`)]
}

/** Of two that cover one another, only the later is called superfluous. */
function comesFirst(one: LoadedPolicy, other: LoadedPolicy): boolean {
  return !covers(other, one) || one.id < other.id
}

/** A limit on the amount of one call, where no rule counts what the calls of a conversation add up to. */
function uncounted(policies: readonly LoadedPolicy[]): readonly Remark[] {
  const counting = policies.filter((policy) => has(policy, isSum))
  return (
    policies
      // Sessions add up `/amount` and nothing else.
      .filter((policy) => policy.effect === 'permit' && boundsOf(policy).below.has('/amount'))
      .filter((policy) => !counting.some((other) => mayMeet(other, policy)))
      .map((policy) =>
        remark(
          'advice',
          policy,
          'limits one call and not their sum: many small ones pass; context.session.here.after is the sum with this call (payments/v1 shows a budget)',
        ),
      )
  )
}

/** A permit that caps an amount and takes any below it, negative ones too. */
function unfloored(policies: readonly LoadedPolicy[], tools: readonly ReviewedTool[]): readonly Remark[] {
  return policies
    .filter(({ effect }) => effect === 'permit')
    .flatMap((policy) => {
      const meant = tools.filter(({ id }) => mayConcern(policy, id))
      const floors = policies.filter(
        (other) => other === policy || (other.effect === 'forbid' && mayMeet(other, policy)),
      )
      const open = [...boundsOf(policy).below].find(
        (pointer) =>
          !floors.some((other) => boundsOf(other).above.has(pointer)) &&
          !(meant.length > 0 && meant.every(({ schema }) => isNeverNegative(schema, pointer))),
      )
      if (open === undefined) return []
      const remedy = 'min: 0 in the short form, .greaterThanOrEqual(decimal("0.0")) in Cedar'
      return [remark('advice', policy, `limits ${open} from above alone, so a negative number passes: ${remedy}`)]
    })
}

/** Something of a session that grows with every call; what was read does not count. */
function isSum(term: Term): boolean {
  const chain = chainOf(term)
  if (chain?.variable !== 'context') return false
  const [member, what] = chain.path
  return member === 'session' && what !== undefined && !what.endsWith('_read')
}

/** Is the tool thought of: does a policy name it, or could one let a call of it run? Conditions are not looked at. */
function speaksFor(policy: LoadedPolicy, { id, materiality, surface }: ReviewedTool): boolean {
  if (!mayConcern(policy, id)) return false
  const { tools, groups } = scopeOf(policy)
  if (tools.includes(id)) return true
  if (policy.effect !== 'permit') return false
  return groups.length === 0 || groups.includes(materiality) || groups.includes(`surface-${surface}`)
}

function unspokenFor({ id, at, materiality }: ReviewedTool): Remark {
  return { level: 'advice', at, message: `no policy speaks for ${id} (${materiality}): every call of it is refused` }
}

function has(policy: LoadedPolicy, test: (term: Term) => boolean): boolean {
  let found = false
  for (const { body } of policy.clauses) {
    walk(body, (term) => {
      found ||= test(term)
    })
  }
  return found
}

function remark(level: Remark['level'], policy: LoadedPolicy, message: string, within = 0): Remark {
  return { level, policy: policy.id, at: placeIn(policy.file, policy.offset + within), message }
}

function named({ id, at }: LoadedPolicy): string {
  return `${id} (${at})`
}
