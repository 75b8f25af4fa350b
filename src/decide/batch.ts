import type { EvaluationRequest, Json } from '../types.ts'
import { AbsentAnswer } from './absent.ts'
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

interface Waiting {
  readonly request: EvaluationRequest
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
      if (waiting.length === 0) queueMicrotask(flush)
      waiting.push({ request, signal, resolve, reject })
      signal.addEventListener('abort', () => reject(new AbsentAnswer('timeout', 'the question was given up')))
    })
}

/** Groups of at most `most`, in none of which a resource comes twice. */
function groupsOf(asked: readonly Waiting[], most: number): readonly (readonly Waiting[])[] {
  const groups: { readonly members: Waiting[]; readonly resources: Set<string> }[] = []
  for (const each of asked) {
    const { id } = each.request.resource
    let group = groups.find(({ members, resources }) => members.length < most && !resources.has(id))
    if (group === undefined) {
      group = { members: [], resources: new Set() }
      groups.push(group)
    }
    group.members.push(each)
    group.resources.add(id)
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
    for (const { reject } of group) reject(cause)
  }
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
  const evaluations = group.map(({ request }) => request)
  const write = (): string => wireText({ evaluations, options: { evaluations_semantic: 'execute_all' } })
  const { json } = await service.ask({ path, write }, signal)
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
