import { utf8Length } from '../bytes/canonical.ts'
import type { EvaluationRequest, Json } from '../types.ts'
import { AbsentAnswer, TooMuchAtOnce, WrongAnswer } from './absent.ts'
import type { Endpoints } from './discovery.ts'
import { type PolicyService, wireText } from './service.ts'
import { listIn, misshapen, objectIn } from './shape.ts'

/** Asks one question and gives its JSON, that of one AuthZEN Decision. */
export type Asker = (request: EvaluationRequest, signal: AbortSignal) => Promise<Json>

/** Where batches go. */
export interface BatchTerms {
  readonly endpoints: (signal: AbortSignal) => Promise<Endpoints>
  /** Questions in one request, at most. */
  readonly most: number
  /** For a question that is alone. */
  readonly single: Asker
  readonly service: PolicyService
}

/** So that one caller's arguments make nobody else's request too large; a larger question goes alone. */
const MOST_BATCH_BYTES = 262_144

interface Waiting {
  readonly request: EvaluationRequest
  /** The request as it is sent, and its length in bytes. */
  readonly text: string
  readonly bytes: number
  readonly signal: AbortSignal
  readonly resolve: (json: Json) => void
  readonly reject: (cause: unknown) => void
}

/**
 * Asks questions that come in the same turn together: AuthZEN 1.0, Access Evaluations, with `execute_all`.
 *
 * INVARIANT I4: answers are told apart by their place alone, so a list that is longer or shorter answers none of the questions.
 * No request asks twice about one resource: Cerbos 0.55, for one, answers the second such question with the decision of the
 * first, whatever its arguments are.
 */
export function createBatcher(terms: BatchTerms): Asker {
  let waiting: Waiting[] = []
  const flush = (): void => {
    const asked = waiting.filter(({ signal }) => !signal.aborted)
    waiting = []
    for (const group of groupsOf(asked, terms.most)) void send(group, terms)
  }
  return (request, signal) =>
    new Promise((resolve, reject) => {
      const text = wireText(request)
      if (waiting.length === 0) queueMicrotask(flush)
      waiting.push({ request, text, bytes: utf8Length(text), signal, resolve, reject })
      signal.addEventListener('abort', () => reject(new AbsentAnswer('timeout', 'the question was given up')))
    })
}

interface Group {
  readonly members: Waiting[]
  readonly resources: Set<string>
  bytes: number
}

/** Groups of at most `most` and `MOST_BATCH_BYTES`, in none of which a resource comes twice. */
function groupsOf(asked: readonly Waiting[], most: number): readonly (readonly Waiting[])[] {
  const groups: Group[] = []
  for (const each of asked) {
    const { id } = each.request.resource
    const hasRoom = ({ members, resources, bytes }: Group): boolean =>
      members.length < most && bytes + each.bytes <= MOST_BATCH_BYTES && !resources.has(id)
    let group = groups.find(hasRoom)
    if (group === undefined) {
      group = { members: [], resources: new Set(), bytes: 0 }
      groups.push(group)
    }
    group.members.push(each)
    group.resources.add(id)
    group.bytes += each.bytes
  }
  return groups.map(({ members }) => members)
}

async function send(group: readonly Waiting[], terms: BatchTerms): Promise<void> {
  try {
    const signal = endOfAll(group)
    const { evaluations: path } = await terms.endpoints(signal)
    if (group.length === 1 || path === undefined) return askOneByOne(group, terms)
    const answers = await askTogether(group, path, terms, signal)
    for (const [index, answer] of answers.entries()) group[index]?.resolve(answer)
  } catch (cause) {
    if (cause instanceof TooMuchAtOnce) askOneByOne(group, terms)
    else rejectAll(group, cause)
  }
}

/**
 * INVARIANT I5: one reply that is lost is one absence, whoever was in the batch: of the others nobody knows whether they would
 * have been answered, so that they open nothing and move no breaker.
 */
function rejectAll(group: readonly Waiting[], cause: unknown): void {
  const [first, ...others] = group.filter(({ signal }) => !signal.aborted)
  first?.reject(cause)
  const isAbsent = cause instanceof AbsentAnswer
  const lost = isAbsent ? new WrongAnswer('stalled', 'the batch that this question was in got no answer', cause) : cause
  for (const { reject } of others) reject(lost)
}

function askOneByOne(group: readonly Waiting[], { single }: BatchTerms): void {
  for (const { request, signal, resolve, reject } of group) single(request, signal).then(resolve, reject)
}

async function askTogether(
  group: readonly Waiting[],
  path: string,
  { service }: BatchTerms,
  signal: AbortSignal,
): Promise<readonly Json[]> {
  // Canonical as well: so are its parts, and its members are in order.
  const evaluations = group.map(({ text }) => text).join(',')
  const write = (): string => `{"evaluations":[${evaluations}],"options":{"evaluations_semantic":"execute_all"}}`
  const { json } = await service.ask({ path, write, questions: group.length }, signal)
  const answers = listIn(objectIn(json, 'the reply', ['evaluations'])['evaluations'], '"evaluations"')
  if (answers.length !== group.length) throw misshapen('the reply does not answer as many questions as were asked')
  return answers
}

/** Aborts when nobody waits any more: one caller who goes away takes no answer from the others. */
function endOfAll(group: readonly Waiting[]): AbortSignal {
  const controller = new AbortController()
  for (const { signal } of group) {
    signal.addEventListener('abort', () => {
      if (group.every((each) => each.signal.aborted)) controller.abort()
    })
  }
  return controller.signal
}
