import { personsIn, yesesIn } from '../bytes/requirement.ts'
import type { Constraint, EvaluationRequest, Explanation, JsonSchema } from '../types.ts'
import type { Atom, SplitClause, SplitPolicy } from './atoms.ts'
import type { LoadedPolicy } from './load.ts'
import { maskActual } from './mask.ts'
import { createProber, type Holds, reached, wantsTrue } from './probe.ts'
import { own, valueAt } from './shape.ts'
import type { Subject } from './subject.ts'
import { type Wording, wordingOf } from './words.ts'

/** Answers `explain` of a policy decision point. */
export type Explainer = (request: EvaluationRequest, schema: JsonSchema | undefined) => Explanation

type Condition = Explanation['policies'][number]['conditions'][number]

const NOTHING: Explanation = { constraints: [], policies: [] }

/**
 * Explains answers of a policy set: which policies applied, which of their conditions held, and which arguments would
 * have to change. Prepared on the first refusal. It explains and never decides; what it cannot explain it leaves out.
 *
 * Constraints are about arguments only: a condition on principal, session or environment is seen in `policies`, and
 * reaches the model as the policy's `@refusal` sentence or not at all (I9).
 */
export function createExplainer(digest: string, policies: readonly LoadedPolicy[]): Explainer {
  const probe = createProber(digest, policies)
  return (request, schema) => {
    const probed = probe(request, schema)
    if (probed === undefined) return NOTHING
    const explained = probed.split.map((split) => explainPolicy(split, probed.holds, request))
    return { policies: explained.map(({ report }) => report), constraints: worthSaying(explained) }
  }
}

interface Explained {
  readonly report: Explanation['policies'][number]
  readonly constraints: readonly Constraint[]
  /** A forbid that applied or erred: while it stands, no permit helps. One that `waits` is lifted by a yes that is to come. */
  readonly blocks: boolean
  readonly waits: boolean
  /** The call has every argument that the conditions ask for. */
  readonly fits: boolean
}

/**
 * What stands in the way: the forbids that do; else what keeps each permit from applying. A forbid that a yes would lift stands
 * in the way of nothing where no permit applies behind it. Where one applies and only waits for a person, permits that are about
 * arguments which this call does not have are another call's business.
 */
function worthSaying(explained: readonly Explained[]): readonly Constraint[] {
  const permits = explained.filter(({ report }) => report.effect === 'permit')
  const applies = permits.some(({ report }) => report.applied)
  const blocking = explained.filter(({ blocks, waits }) => blocks && (applies || !waits))
  const speaking = blocking.length > 0 ? blocking : permits.filter(({ fits }) => fits || !applies)
  const seen = new Set<string>()
  return speaking
    .flatMap(({ constraints }) => constraints)
    .filter(({ path, requires }) => {
      const key = `${path} ${requires}`
      return !seen.has(key) && seen.add(key) !== undefined
    })
}

function explainPolicy(split: SplitPolicy, holds: (key: string) => Holds, request: EvaluationRequest): Explained {
  const { policy, scope, clauses } = split
  const applied = holds(split.whole)
  const inScope = scope.every((atom) => holds(atom.key) === true)
  const sides = scope.map((atom): Condition => ({ text: atom.text, holds: holds(atom.key) }))
  const stated = inScope ? clauses.flatMap((clause) => clauseConditions(clause, policy, holds, request)) : []
  const report = {
    id: policy.id,
    at: policy.at,
    effect: policy.effect,
    applied: applied === true,
    ...(policy.requires === undefined ? {} : { requires: policy.requires }),
  }
  const stands = policy.effect === 'forbid' ? applied !== false : applied === false
  const constraints =
    inScope && stands ? clauses.flatMap((clause) => clauseConstraints(clause, policy, holds, request)) : []
  return {
    report: { ...report, conditions: [...sides, ...stated] },
    constraints,
    blocks: policy.effect === 'forbid' && applied !== false,
    waits: applied === true && policy.requires !== undefined && !isGiven(policy.requires, policy.quorum, request),
    fits: clauses.every((clause) => clause.atoms.every((atom) => holds(atom.key) === true || !asksForArgument(atom))),
  }
}

function isGiven(requires: string, quorum: number, request: EvaluationRequest): boolean {
  return yesesIn(request).has(requires) && quorum <= personsIn(request)
}

/** `context.arguments has amount` and its like. */
function asksForArgument(atom: Atom): boolean {
  const wording = atom.term === undefined ? undefined : wordingOf(atom.term, true)
  return wording?.guards === true && wording.subject.about === 'argument'
}

function clauseConditions(
  clause: SplitClause,
  policy: LoadedPolicy,
  holds: (key: string) => Holds,
  request: EvaluationRequest,
): readonly Condition[] {
  return reached(clause, holds).map((atom) => {
    const wanted = wantsTrue(clause, policy)
    const wording = atom.term === undefined ? undefined : wordingOf(atom.term, wanted)
    const told = { text: atom.text, holds: holds(atom.key) }
    if (wording === undefined || (wording.guards && !wanted)) return told
    const { subject, requires } = wording
    if (subject.about === 'surroundings') return { ...told, requires }
    const shown = policy.disclose === 'none' ? undefined : actualOf(subject, request)
    return { ...told, path: subject.pointer, requires, ...(shown === undefined ? {} : { actual: shown }) }
  })
}

/** What the arguments would have to be, so that this clause stops keeping the call from running. */
function clauseConstraints(
  clause: SplitClause,
  policy: LoadedPolicy,
  holds: (key: string) => Holds,
  request: EvaluationRequest,
): readonly Constraint[] {
  const wanted = wantsTrue(clause, policy)
  const amiss = reached(clause, holds).filter((atom) => holds(atom.key) !== wanted)
  const wordings = amiss.flatMap((atom) => (atom.term === undefined ? [] : (wordingOf(atom.term, wanted) ?? [])))
  // Either every atom must come right, or one of them is enough.
  const each = (clause.join === 'all') === wanted
  if (each) return wordings.flatMap((wording) => constraintOf(wording, policy, request))
  return oneOf(wordings, policy, request)
}

/** Several ways out make one constraint. Ways that are not the model's to take are left out; so is leaving arguments out. */
function oneOf(wordings: readonly Wording[], policy: LoadedPolicy, request: EvaluationRequest): readonly Constraint[] {
  const ways = wordings.filter(({ subject, guards }) => subject.about === 'argument' && !guards)
  const [first] = ways
  if (first === undefined) return []
  const pointers = new Set(ways.map(({ subject }) => (subject.about === 'argument' ? subject.pointer : '')))
  const requires = ways.map((way) => (pointers.size === 1 ? way.requires : namedRequirement(way))).join(', or ')
  return constraintOf({ ...first, requires }, policy, request)
}

function namedRequirement({ subject, requires }: Wording): string {
  return subject.about === 'argument' ? `${subject.pointer} ${requires}` : requires
}

function constraintOf(wording: Wording, policy: LoadedPolicy, request: EvaluationRequest): readonly Constraint[] {
  const { subject, requires } = wording
  if (subject.about !== 'argument') return []
  const shown = policy.disclose === 'model' ? actualOf(subject, request) : undefined
  return [{ policy: policy.id, path: subject.pointer, requires, ...(shown === undefined ? {} : { actual: shown }) }]
}

/** The value that the condition met, as it may be shown. */
function actualOf(subject: Extract<Subject, { about: 'argument' }>, request: EvaluationRequest): string {
  const { derived, lengths, arguments: input } = request.context
  if (subject.fact === 'length') return `${own(lengths, subject.pointer)[0] ?? 'no'} items`
  if (subject.fact === 'bytes')
    return `${String(own(own(derived, subject.pointer)[0] ?? null, 'bytes')[0] ?? 'no')} bytes`
  const value = valueAt(input, subject.path)
  if (value === undefined || value === null) return 'nothing'
  return maskActual(typeof value === 'string' ? value : JSON.stringify(value), subject.pointer)
}
