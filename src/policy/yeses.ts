import type { EvaluationRequest } from '../types.ts'

/** What people have said yes to, as `@requires` names it: `confirmation`, `approval:<role>`. */
export function yesesIn({ context }: Pick<EvaluationRequest, 'context'>): ReadonlySet<string> {
  const { confirmed, roles } = context.approval
  return new Set([...(confirmed === true ? ['confirmation'] : []), ...roles.map((role) => `approval:${role}`)])
}

/** The same request, had somebody said yes to it. */
export function withYes(request: EvaluationRequest, requires: string): EvaluationRequest {
  const { approval } = request.context
  const given =
    requires === 'confirmation'
      ? { ...approval, confirmed: true }
      : { ...approval, roles: [...approval.roles, requires.slice('approval:'.length)] }
  return { ...request, context: { ...request.context, approval: given } }
}
