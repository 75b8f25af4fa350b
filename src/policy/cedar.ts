import { personsIn, withoutYes, yesesIn } from '../bytes/requirement.ts'
import type { Decision, EvaluationRequest, JsonSchema, PolicyDecisionPoint } from '../types.ts'
import { type Answer, parsePolicies } from './engine.ts'
import { createExplainer } from './explain.ts'
import { withForesight } from './foresight.ts'
import { createLinter } from './lint.ts'
import { type LoadedPolicy, loadPolicies, type PolicyText } from './load.ts'
import { type Reads, readsInside, readsMember, readsOf } from './reads.ts'
import { Questioner } from './request.ts'

/**
 * The embedded policy decision point: Cedar, read strictly. Evaluation is synchronous.
 *
 * @throws HoldpointError ERR_POLICY, see {@link loadPolicies}
 */
export function createCedarPoint(files: readonly PolicyText[]): PolicyDecisionPoint {
  const { digest, policies } = loadPolicies(files)
  const byId = new Map(policies.map((policy) => [policy.id, policy]))
  const parsed = parsePolicies(`holdpoint/${digest}`, new Map(policies.map(({ id, text }) => [id, text])))
  const reads = readsOf(policies)
  const questioner = new Questioner(reads)
  const linter = createLinter(policies)
  const explain = createExplainer(digest, policies)
  const countsPersons = policies.some(({ quorum }) => quorum > 1)
  return {
    id: 'cedar',
    embedded: true,
    policyDigest: digest,
    rederivable: true,
    readsSession: readsSession(reads.context),
    register: (server, tools) => linter(server, tools),
    evaluate: (request: EvaluationRequest, { schema }: { readonly schema: JsonSchema | undefined }): Decision => {
      const read = (asked: EvaluationRequest): Decision =>
        readCedar(parsed.answer(questioner.question(asked, schema)), byId, asked)
      return withForesight(countsPersons ? (asked) => readCounted(read, asked) : read, request)
    },
    explain,
  }
}

/**
 * Where policies count persons, a yes of too few is none at all.
 *
 * INVARIANT I4: Cedar sees that the role said yes, not how many of it, and would lift a forbid for one of two. So the policies are
 * asked first how many they want.
 */
function readCounted(read: (request: EvaluationRequest) => Decision, request: EvaluationRequest): Decision {
  if (request.context.approval.roles.length === 0) return read(request)
  const before = read(withoutYes(request))
  const isShort =
    before.kind === 'silence' &&
    before.cause.kind === 'requestable' &&
    yesesIn(request).has(before.cause.requires) &&
    (before.cause.quorum ?? 1) > personsIn(request)
  return isShort ? before : read(request)
}

/** Hours and days go beyond the conversation. */
function readsSession(context: Reads): boolean | 'conversation' {
  const session = readsInside(context, 'session')
  if (session === undefined) return false
  const looksFurther = [session, readsInside(session, 'here')].some(
    (reads) => reads !== undefined && (readsMember(reads, 'hour') || readsMember(reads, 'day')),
  )
  return looksFurther || 'conversation'
}

/**
 * Reads Cedar's answer more strictly than Cedar does (DESIGN §8): engines drop a rule that errs and go on; here an erring
 * `forbid` means that nobody knows whether it forbids, so nothing runs. An erring `permit` merely did not speak.
 */
export function readCedar(
  answer: Answer,
  policies: ReadonlyMap<string, LoadedPolicy>,
  request: Pick<EvaluationRequest, 'context'>,
): Decision {
  if (answer.kind === 'failed') return wrong([], answer.detail)
  const errors = [...answer.errors].sort()
  const spoke = answer.determining.map((id) => policies.get(id))
  const erred = errors.map((id) => policies.get(id))
  if (!spoke.every(isPolicy) || !erred.every(isPolicy))
    return wrong(errors, 'the engine named a policy that is not loaded')
  const determining = spoke.sort((one, other) => (one.id < other.id ? -1 : 1))

  const given = yesesIn(request)
  const forbids = determining.filter((policy) => policy.effect === 'forbid')
  // A forbid that names a yes which is still to come asks for it. One that stands although the yes is there means no.
  const absolute = forbids.filter(({ requires }) => requires === undefined || given.has(requires))
  if (absolute.length > 0) return { kind: 'deny', ...sentenceOf(absolute), determining: idsOf(absolute), errors }
  const unsure = erred.filter((policy) => policy.effect === 'forbid')
  if (unsure.length > 0) {
    return wrong(errors, `could not be evaluated for this call: ${idsOf(unsure).join(', ')}`)
  }
  if (forbids.length > 0) return requestable(forbids, errors)
  if (!answer.allows) return { kind: 'silence', cause: { kind: 'no_permit' }, determining: [], errors }
  return readPermits(determining, errors, { given, persons: personsIn(request) })
}

/** INVARIANT I4: a permit that waits for a person counts only with that person's yes in the request. */
function readPermits(
  permits: readonly LoadedPolicy[],
  errors: readonly string[],
  { given, persons }: { readonly given: ReadonlySet<string>; readonly persons: number },
): Decision {
  const counting = permits.filter(
    ({ requires, quorum }) => requires === undefined || (given.has(requires) && quorum <= persons),
  )
  if (counting.length === 0) return requestable(permits, errors)
  const obligations = counting.flatMap((policy) => (policy.obligation === undefined ? [] : [policy.obligation]))
  return { kind: 'permit', obligations, determining: idsOf(counting), errors }
}

function requestable(waiting: readonly LoadedPolicy[], errors: readonly string[]): Decision {
  const [asks] = [...waiting].sort(byEase)
  if (asks?.requires === undefined) return wrong(errors, 'the engine allowed the call and named no permit')
  // What forbids is lifted by as many as the most careful of them wants; of permits the easiest is enough.
  const { requires } = asks
  const alike = waiting.filter((policy) => policy.effect === 'forbid' && policy.requires === requires)
  const quorum = Math.max(asks.quorum, ...alike.map((policy) => policy.quorum))
  const cause = { kind: 'requestable', requires, ...(quorum > 1 ? { quorum } : {}) } as const
  return { kind: 'silence', cause, ...sentenceOf([asks]), determining: idsOf(waiting), errors }
}

/** The principal's own yes before another person's; then by name, so that the same call always asks for the same thing. */
function byEase(one: LoadedPolicy, other: LoadedPolicy): number {
  const rank = ({ requires = '', quorum, id }: LoadedPolicy): string =>
    `${requires === 'confirmation' ? 0 : 1} ${String(quorum).padStart(2, '0')} ${requires} ${id}`
  return rank(one) < rank(other) ? -1 : 1
}

function wrong(errors: readonly string[], detail: string): Decision {
  return { kind: 'silence', cause: { kind: 'wrong', fault: 'policy_error', detail }, determining: [], errors }
}

function sentenceOf(policies: readonly LoadedPolicy[]): { readonly sentence?: string } {
  const spoken = policies.find((policy) => policy.refusal !== undefined)?.refusal
  return spoken === undefined ? {} : { sentence: spoken }
}

function idsOf(policies: readonly LoadedPolicy[]): readonly string[] {
  return policies.map((policy) => policy.id)
}

function isPolicy(policy: LoadedPolicy | undefined): policy is LoadedPolicy {
  return policy !== undefined
}
