import type { Decision } from '../types.ts'
import { silence } from './deadline.ts'

/**
 * Joins what several policy decision points said of one call: all must permit. The first of these that anybody says is what counts:
 *
 * 1. deny;
 * 2. a wrong answer: somebody is speaking, and nobody knows what is said;
 * 3. no permit;
 * 4. a permit that waits for a person;
 * 5. absence, so that a call is never opened past one of the above;
 * 6. permit, with the obligations of all.
 */
export function joined(decisions: readonly Decision[]): Decision {
  const [first, ...others] = [...decisions].sort((one, other) => weight(one) - weight(other))
  if (first === undefined) return NOBODY_ASKED
  if (first.kind === 'silence' && first.cause.kind === 'absent' && others.some(obliges)) return UNMET
  const alike = [first, ...others.filter((other) => weight(other) === weight(first))]
  const determining = alike.flatMap((decision) => decision.determining)
  const errors = decisions.flatMap((decision) => decision.errors)
  if (first.kind === 'silence' && first.cause.kind === 'requestable')
    return { ...first, cause: { ...first.cause, ...ofAll(first.cause.requires, alike, others) }, determining, errors }
  if (first.kind !== 'permit') return { ...first, determining, errors }
  const obligations = alike.flatMap((decision) => (decision.kind === 'permit' ? decision.obligations : []))
  return { kind: 'permit', obligations, determining, errors }
}

/** What a yes is asked for, by all who ask for it, and what is owed then, by those too who permit the call as it is. */
function ofAll(requires: string, alike: readonly Decision[], others: readonly Decision[]) {
  const obligations = [...new Set([...alike, ...others])].flatMap((decision) => {
    if (decision.kind === 'permit') return decision.obligations
    const { cause } = decision.kind === 'silence' ? decision : { cause: undefined }
    return cause?.kind === 'requestable' && cause.requires === requires ? (cause.obligations ?? []) : []
  })
  return { ...mostPersons(requires, alike), ...(obligations.length === 0 ? {} : { obligations }) }
}

/** As many persons as the most careful of those wants who ask for the same yes. */
function mostPersons(requires: string, decisions: readonly Decision[]): { readonly quorum?: number } {
  const wanted = decisions.flatMap((decision) =>
    decision.kind === 'silence' && decision.cause.kind === 'requestable' && decision.cause.requires === requires
      ? [decision.cause.quorum ?? 1]
      : [],
  )
  const quorum = Math.max(...wanted)
  return quorum > 1 ? { quorum } : {}
}

function obliges(decision: Decision): boolean {
  return decision.kind === 'permit' && decision.obligations.length > 0
}

/** What runs past an absence has no obligations that anybody met, so nothing runs past this one. */
const UNMET = silence({
  kind: 'wrong',
  fault: 'policy_error',
  detail: 'a policy point permits the call with obligations, and another one does not answer',
})

function weight(decision: Decision): number {
  switch (decision.kind) {
    case 'deny':
      return 0
    case 'permit':
      return 5
    case 'silence':
      switch (decision.cause.kind) {
        case 'wrong':
          return 1
        case 'no_permit':
          return 2
        case 'requestable':
          return 3
        case 'absent':
          return 4
      }
  }
}

/** No point answers for the tool: nobody permits it. */
export const NOBODY_ASKED: Decision = {
  ...silence({ kind: 'no_permit' }),
  kind: 'silence',
  cause: { kind: 'no_permit' },
  sentence: 'No policy point answers for this tool.',
}
