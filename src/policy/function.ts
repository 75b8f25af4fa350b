import { sha256 } from '../bytes/digest.ts'
import { isQuorum, isRequirement, personsIn, requirementOf, yesesIn } from '../bytes/requirement.ts'
import type { Decision, EvaluationRequest, PolicyDecisionPoint } from '../types.ts'

/**
 * A policy as a plain function: `permit`, `deny`, or an object that {@link createFunctionPoint} documents. UNTRUSTED result: it
 * is read strictly. `server` is our own name of the server of in-process tools.
 */
export type PolicyFunction = (
  request: EvaluationRequest,
  call: { readonly signal: AbortSignal; readonly server: string },
) => unknown

/**
 * A policy decision point of a plain function. It may answer, now or by a promise:
 *
 * - `'permit'` or `'deny'`;
 * - `{ deny: 'Refunds above 500 EUR need approval from finance.' }`;
 * - `{ ask: 'confirmation', say?: '…' }` or `{ ask: 'finance', quorum?: 2, say?: '…' }`: a permit once the principal, or so many
 *   persons in that role, said yes; it is asked again with that yes in `request.context.approval`;
 * - a full {@link Decision}.
 *
 * Everything else is passed on as it is, and read as a wrong answer. Its decisions cannot be re-derived from receipts.
 *
 * @param details `id` names the point in receipts and refusals; default `function`. `readsSession` false says that the
 * function does not look at `context.session`, so that its decisions need not be taken one after the other; `'conversation'` that it
 * looks at neither `hour` nor `day`. `server` is handed to the function; default `local`
 */
export function createFunctionPoint(
  fn: PolicyFunction,
  details: { readonly id?: string; readonly readsSession?: boolean | 'conversation'; readonly server?: string } = {},
): PolicyDecisionPoint {
  const { id = 'function', server = 'local' } = details
  return {
    id,
    policyDigest: sha256(`holdpoint function policy\n${id}\n${fn.toString()}`),
    rederivable: false,
    // Nobody can see what a function reads, so it does unless its author says otherwise.
    readsSession: details.readsSession ?? true,
    register: () => [],
    evaluate(request, call) {
      const answer = fn(request, { signal: call.signal, server })
      return answer instanceof Promise
        ? answer.then((later) => readShort(later, id, request))
        : readShort(answer, id, request)
    },
    explain: () => ({ constraints: [], policies: [] }),
  }
}

/** Turns a short answer into a decision; leaves what it does not know for the strict reader to refuse. */
function readShort(answer: unknown, id: string, request: EvaluationRequest): unknown {
  if (answer === 'permit') return permit(id)
  if (answer === 'deny') return { kind: 'deny', determining: [id], errors: [] } satisfies Decision
  const short = membersOf(answer)
  if (short === undefined || short.has('kind')) return answer
  const [deny, asked, say] = [short.get('deny'), short.get('ask'), short.get('say')]
  const quorum = short.get('quorum') ?? 1
  if (short.size === 1 && typeof deny === 'string') {
    return { kind: 'deny', sentence: deny, determining: [id], errors: [] } satisfies Decision
  }
  const known = ['ask', 'quorum', 'say'].filter((name) => short.has(name))
  if (typeof asked !== 'string' || short.size !== known.length) return answer
  if (short.has('say') && typeof say !== 'string') return answer
  const requires = requirementOf(asked)
  if (!isRequirement(requires) || typeof quorum !== 'number' || !isQuorum(quorum, requires)) return answer
  if (yesesIn(request).has(requires) && quorum <= personsIn(request)) return permit(id)
  const sentence = typeof say === 'string' ? { sentence: say } : {}
  return {
    kind: 'silence',
    cause: { kind: 'requestable', requires, ...(quorum > 1 ? { quorum } : {}) },
    ...sentence,
    determining: [id],
    errors: [],
  } satisfies Decision
}

function permit(id: string): Decision {
  return { kind: 'permit', obligations: [], determining: [id], errors: [] }
}

/** Own data members of a plain object, each read once; `undefined` for anything else. */
function membersOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return undefined
  const members = new Map<string, unknown>()
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (!('value' in descriptor)) return undefined
    members.set(name, descriptor.value)
  }
  return members
}
