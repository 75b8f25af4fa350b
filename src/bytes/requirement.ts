import type { ApprovalFacts, EvaluationRequest } from '../types.ts'

/**
 * The yes that a policy waits for, as `@requires` names it: `confirmation`, the principal's own, or `approval:<role>`, that of
 * somebody else in the role.
 */
const APPROVAL = 'approval:'
const ROLE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/

/** Nobody has said yes to anything. */
export const NO_YES: ApprovalFacts = { confirmed: false, roles: [] }

/** May a role have this name? */
export function isRole(text: string): boolean {
  return ROLE.test(text)
}

/** Does the text name a yes? */
export function isRequirement(text: string): boolean {
  return text === 'confirmation' || isRole(roleIn(text) ?? '')
}

/** The requirement behind the `ask` of a short form: `confirmation`, or the role to ask. */
export function requirementOf(ask: string): string {
  return ask === 'confirmation' ? ask : APPROVAL + ask
}

/** The role whose yes is required; `undefined` where it is the principal's own. */
export function roleIn(requires: string): string | undefined {
  return requires.startsWith(APPROVAL) ? requires.slice(APPROVAL.length) : undefined
}

/** The most persons that a policy may want. */
export const MOST_PERSONS = 16

/** May so many persons be asked for this yes? A confirmation is one person's. */
export function isQuorum(quorum: number, requires: string): boolean {
  return Number.isInteger(quorum) && quorum >= 1 && quorum <= (roleIn(requires) === undefined ? 1 : MOST_PERSONS)
}

/** What policies read once this yes is given: it and what was given before, nothing more. */
export function given(requires: string, before: ApprovalFacts = NO_YES, quorum = 1): ApprovalFacts {
  if (requires === 'confirmation') return { ...before, confirmed: true }
  const role = roleIn(requires)
  if (role === undefined) return before
  const roles = before.roles.includes(role) ? before.roles : [...before.roles, role]
  return { ...before, roles, ...(quorum > 1 ? { quorum } : {}) }
}

/** The yeses that a request comes with. */
export function yesesIn({ context }: Pick<EvaluationRequest, 'context'>): ReadonlySet<string> {
  const { confirmed, roles } = context.approval
  return new Set([...(confirmed === true ? ['confirmation'] : []), ...roles.map((role) => APPROVAL + role)])
}

/** How many persons said the yes that a request comes with. */
export function personsIn({ context }: Pick<EvaluationRequest, 'context'>): number {
  return context.approval.quorum ?? 1
}

/** The same request, had nobody said anything. */
export function withoutYes(request: EvaluationRequest): EvaluationRequest {
  return { ...request, context: { ...request.context, approval: NO_YES } }
}

/** The same request, had so many said yes to it. */
export function withYes(request: EvaluationRequest, requires: string, quorum = 1): EvaluationRequest {
  const { context } = request
  return { ...request, context: { ...context, approval: given(requires, context.approval, quorum) } }
}
