/**
 * What policies mean, in seventy lines that do not know Cedar: the embedded policy point is fuzzed against this reader.
 * A rule has a scope, a condition on one argument, and what it waits for: a permit until it counts, a forbid until it is lifted.
 */
import type { ApprovalFacts, Materiality } from '../../src/types.ts'

export interface Rule {
  readonly effect: 'permit' | 'forbid'
  readonly requires?: string
  /** The principal must be in this role. */
  readonly role?: string
  /** The call must be of this tier. */
  readonly tier?: Materiality
  readonly condition: 'always' | 'never' | 'errs' | { readonly atMost: number } | { readonly guardedAtMost: number }
}

export interface Facts {
  readonly roles: readonly string[]
  readonly materiality: Materiality
  /** Text cannot be compared, and absence cannot be read: both make a condition err. */
  readonly amount: number | string | undefined
  readonly approval: ApprovalFacts
}

/** `deny`, `permit`, `no_permit`, `policy_error`, or `ask <what>`. */
export function referenceDecision(rules: readonly Rule[], facts: Facts): string {
  const answers = rules.map((rule) => ({ rule, holds: holds(rule, facts) }))
  const forbids = answers.filter(({ rule }) => rule.effect === 'forbid')
  const standing = forbids.filter(({ rule, holds }) => holds === true && !isLifted(rule, facts.approval))
  if (standing.some(({ rule }) => rule.requires === undefined)) return 'deny'
  if (forbids.some(({ holds }) => holds === 'errs')) return 'policy_error'
  if (standing.length > 0) return asksFor(standing, rules, facts)

  const permits = answers.filter(({ rule, holds }) => rule.effect === 'permit' && holds === true)
  if (permits.length === 0) return 'no_permit'
  if (permits.some(({ rule }) => isMet(rule.requires, facts.approval))) return 'permit'

  return asksFor(permits, rules, facts)
}

/** The easiest yes, where that one yes makes it a permit. If it takes a second one, the answer is no. */
function asksFor(waiting: readonly { readonly rule: Rule }[], rules: readonly Rule[], facts: Facts): string {
  const asked = waiting.map(({ rule }) => rule.requires ?? '')
  const [yes = ''] = asked.includes('confirmation') ? ['confirmation'] : asked.sort()
  const { confirmed, roles } = facts.approval
  const approval = yes === 'confirmation' ? { confirmed: true, roles } : { confirmed, roles: [...roles, yes.slice(9)] }
  const then = referenceDecision(rules, { ...facts, approval })
  if (then === 'permit') return `ask ${yes}`
  return then.startsWith('ask ') ? 'deny' : then
}

function isLifted({ requires }: Rule, approval: ApprovalFacts): boolean {
  return requires !== undefined && isMet(requires, approval)
}

function holds(rule: Rule, { roles, materiality, amount }: Facts): boolean | 'errs' {
  // A rule whose scope does not match is never looked at, so it cannot err either.
  if (rule.role !== undefined && !roles.includes(rule.role)) return false
  if (rule.tier !== undefined && rule.tier !== materiality) return false
  const { condition } = rule
  if (condition === 'errs') return 'errs'
  if (typeof condition === 'string') return condition === 'always'
  if ('guardedAtMost' in condition && amount === undefined) return false
  if (typeof amount !== 'number') return 'errs'
  return amount <= ('atMost' in condition ? condition.atMost : condition.guardedAtMost)
}

function isMet(requires: string | undefined, approval: ApprovalFacts): boolean {
  if (requires === undefined) return true
  if (requires === 'confirmation') return approval.confirmed
  return approval.roles.some((role) => requires === `approval:${role}`)
}
