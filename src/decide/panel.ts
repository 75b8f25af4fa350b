import { sha256 } from '../bytes/digest.ts'
import type {
  BreakerState,
  CanaryResult,
  Clock,
  Decision,
  EvaluationRequest,
  EventSink,
  Explanation,
  JsonSchema,
  PointHealth,
  PolicyDecisionPoint,
  PolicyMisfit,
  ToolDefinition,
} from '../types.ts'
import { type Breaker, type BreakerTerms, createBreaker } from './breaker.ts'
import { type Canary, type Control, createCanary } from './canary.ts'
import { type AskTerms, ask, inTime, STALLED, silence } from './deadline.ts'
import { joined, NOBODY_ASKED } from './join.ts'

/** What a panel works with. */
export interface PanelTerms {
  readonly clock: Clock
  readonly emit: EventSink
  /** The whole policy budget, ms. */
  readonly timeoutMs: number
  /** Bounds of each point's breaker. */
  readonly breaker?: Pick<BreakerTerms, 'failures' | 'openMs' | 'probes'>
  /** Called when a point answers again. */
  readonly healed?: () => void
}

/**
 * The policy decision points of a gate as one: each is asked about the tools that it declares, each has a breaker of its own, and
 * all that were asked must permit.
 */
export class PolicyPanel {
  readonly #seats: readonly Seat[]

  constructor(points: readonly PolicyDecisionPoint[], terms: PanelTerms) {
    this.#seats = points.map((point) => new Seat(point, terms))
  }

  /** Who decides, for receipts: `cedar`, or `cedar+opa`. */
  get id(): string {
    return this.#seats.map(({ point }) => point.id).join('+')
  }

  get policyDigest(): string {
    const [first, second] = this.#seats
    if (first !== undefined && second === undefined) return first.point.policyDigest
    const all = this.#seats.map(({ point }) => [point.id, point.tools ?? ['*'], point.policyDigest])
    return sha256(`holdpoint panel\n${JSON.stringify(all)}`)
  }

  get rederivable(): boolean {
    return this.#seats.every(({ point }) => point.rederivable === true)
  }

  get readsSession(): boolean | 'conversation' {
    const all = new Set(this.#seats.map(({ point }) => point.readsSession))
    return all.has(true) || (all.has('conversation') ? 'conversation' : false)
  }

  register(server: string, tools: readonly ToolDefinition[]): readonly PolicyMisfit[] {
    return this.#seats.flatMap(({ point }) => point.register(server, tools))
  }

  explain(request: EvaluationRequest, schema: JsonSchema | undefined): Explanation {
    const explanations = this.#covering(request.resource.id).map(({ point }) => point.explain(request, schema))
    return {
      constraints: explanations.flatMap(({ constraints }) => constraints),
      policies: explanations.flatMap(({ policies }) => policies),
    }
  }

  /**
   * Asks every point that answers for the tool, all at once and within one budget. An embedded point alone is answered on the
   * spot. Never throws, never rejects.
   */
  ask(request: EvaluationRequest, terms: AskTerms): Decision | Promise<Decision> {
    const [first, ...others] = this.#covering(request.resource.id)
    if (first === undefined) return NOBODY_ASKED
    if (others.length === 0) return first.ask(request, terms)
    const askedAt = terms.clock.monotonic()
    const left = new AbortController()
    const signal = terms.signal === undefined ? left.signal : AbortSignal.any([terms.signal, left.signal])
    const answers = [first, ...others].map((seat) => seat.ask(request, { ...terms, signal }))
    return settled(answers).then((decision) => {
      left.abort()
      return inTime(decision, askedAt, terms)
    })
  }

  /**
   * Asks the canaries ahead of the first call, so that it need not wait for them. Never rejects.
   *
   * @returns what came of it, by point: a permit where a canary has passed
   */
  async rehearse(): Promise<ReadonlyMap<string, Decision>> {
    const judged = this.#seats.map(async (seat) => [seat.point.id, await seat.rehearse()] as const)
    return new Map((await Promise.all(judged)).flatMap(([id, word]) => (word === undefined ? [] : [[id, word]])))
  }

  /** May a permit for this tool still be used? Not once a point that answers for it has been isolated. */
  isOpenFor(toolId: string): boolean {
    return this.#covering(toolId).every(({ state }) => state !== 'isolated')
  }

  isolate(id: string, because: string): boolean {
    return this.#each(id, (seat) => seat.isolate(because))
  }

  release(id: string): boolean {
    return this.#each(id, (seat) => seat.release())
  }

  health(): readonly PointHealth[] {
    return this.#seats.map((seat) => seat.health())
  }

  #covering(toolId: string): readonly Seat[] {
    return this.#seats.filter((seat) => seat.covers(toolId))
  }

  #each(id: string, act: (seat: Seat) => void): boolean {
    const named = this.#seats.filter(({ point }) => point.id === id)
    for (const seat of named) act(seat)
    return named.length > 0
  }
}

/** All answers joined; a deny ends the waiting for the others. */
async function settled(answers: readonly (Decision | Promise<Decision>)[]): Promise<Decision> {
  const { promise: denied, resolve: deny } = Promise.withResolvers<Decision>()
  const all = answers.map(async (answer) => {
    const decision = await answer
    if (decision.kind === 'deny') deny(decision)
    return decision
  })
  return await Promise.race([denied, Promise.all(all).then(joined)])
}

/** One point's place: its tools, its breaker, its canary. */
class Seat {
  readonly point: PolicyDecisionPoint
  readonly #breaker: Breaker
  readonly #canary: Canary | undefined
  readonly #tools: readonly string[]
  readonly #timeoutMs: number
  readonly #emit: EventSink

  constructor(point: PolicyDecisionPoint, { clock, emit, timeoutMs, breaker, healed }: PanelTerms) {
    this.point = point
    this.#timeoutMs = timeoutMs
    this.#emit = emit
    this.#tools = point.tools ?? ['*']
    this.#canary = createCanary(point, { clock, timeoutMs, judged: (result) => emit(judgement(point.id, result)) })
    this.#breaker = createBreaker({
      ...breaker,
      clock,
      moved: (from, to, because) => {
        emit({ event: 'breaker-moved', point: point.id, from, to, because })
        if (to === 'closed') healed?.()
      },
    })
  }

  get state(): BreakerState {
    return this.#breaker.state
  }

  covers(toolId: string): boolean {
    return this.#tools.some(
      (tool) => tool === '*' || tool === toolId || (tool.endsWith('/*') && toolId.startsWith(tool.slice(0, -1))),
    )
  }

  ask(request: EvaluationRequest, terms: AskTerms): Decision | Promise<Decision> {
    // What is not asked cannot be absent.
    if (!(terms.budgetMs > 0)) return STALLED
    const entered = this.#breaker.enter()
    if (entered.kind === 'refused') return entered.because === 'isolated' ? ISOLATED : openFor(entered.retryInMs)
    const settle = (answered: Decision, control?: Control): Decision => {
      const decision = this.#fair(answered, terms, control)
      const { outcome, retryAfterMs } = presence(decision, terms)
      entered.settle(outcome, retryAfterMs)
      if (outcome === 'answered') this.#report(decision)
      // Whoever was away may have come back otherwise.
      if (outcome === 'absent') this.#canary?.forget()
      return decision
    }
    const answer = ask(this.point, request, terms)
    if (!(answer instanceof Promise) && this.#canary === undefined) return settle(answer)
    const control = answer instanceof Promise ? this.#canary?.control(answer, terms) : undefined
    const settled = Promise.resolve(answer).then((answered) => settle(answered, control))
    return this.#withCanary(settled, request, terms)
  }

  /** What is wrong with an answer is the operator's to know, and nobody else's. */
  #report(decision: Decision): void {
    if (decision.kind !== 'silence') return
    const { cause } = decision
    if (cause.kind !== 'wrong' || (cause.fault !== 'malformed' && cause.fault !== 'misconfigured')) return
    this.#emit({ event: 'answer-rejected', point: this.point.id, fault: cause.fault, detail: cause.detail })
  }

  /**
   * INVARIANT I5: whoever was given less than half of the budget was not silent, the gate was slow; and whoever answers a control
   * question meanwhile is there: then it is this call that cannot be evaluated in time.
   */
  #fair(decision: Decision, { budgetMs }: AskTerms, control?: Control): Decision {
    const isTimeout =
      decision.kind === 'silence' && decision.cause.kind === 'absent' && decision.cause.fault === 'timeout'
    if (!isTimeout) return decision
    if (budgetMs < this.#timeoutMs / 2 || control?.stalled === true) return STALLED
    return control?.answered === true ? UNANSWERABLE : decision
  }

  /** INVARIANT I4: a medium or high call runs on this point's word only once its canary has passed. */
  async #withCanary(answer: Promise<Decision>, request: EvaluationRequest, terms: AskTerms): Promise<Decision> {
    if (this.#canary === undefined || request.resource.properties.materiality === 'low') return await answer
    const askedAt = terms.clock.monotonic()
    const [decision, canary] = await Promise.all([answer, this.#canary.ask(terms)])
    const judged = this.#fair(canary, terms)
    return inTime(judged.kind === 'permit' ? decision : joined([decision, judged]), askedAt, terms)
  }

  async rehearse(): Promise<Decision | undefined> {
    return await this.#canary?.rehearse()
  }

  isolate(because: string): void {
    this.#breaker.isolate(because)
  }

  release(): void {
    this.#breaker.release()
  }

  health(): PointHealth {
    const retryInMs = this.#breaker.retryInMs()
    const policyAgeMs = this.point.policyAgeMs?.()
    return {
      id: this.point.id,
      tools: this.#tools,
      breaker: this.#breaker.state,
      canary: this.#canary?.standing ?? 'none',
      ...(retryInMs === undefined ? {} : { retryInMs }),
      ...(policyAgeMs === undefined ? {} : { policyAgeMs }),
    }
  }
}

/** Only absence moves a breaker (DESIGN section 8): a wrong answer is an answer, and a caller who left says nothing. */
function presence(
  decision: Decision,
  { signal }: AskTerms,
): { readonly outcome: 'answered' | 'absent' | 'abandoned'; readonly retryAfterMs?: number | undefined } {
  if (decision.kind === 'silence' && decision.cause.kind === 'absent')
    return { outcome: 'absent', retryAfterMs: decision.cause.retryAfterMs }
  const isUnheard = decision.kind === 'silence' && decision.cause.kind === 'wrong' && decision.cause.fault === 'stalled'
  return { outcome: isUnheard || signal?.aborted === true ? 'abandoned' : 'answered' }
}

function openFor(retryAfterMs: number | undefined): Decision {
  return silence({ kind: 'absent', fault: 'circuit_open', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
}

function judgement(point: string, result: CanaryResult): Parameters<EventSink>[0] {
  const message = result.kind === 'passed' ? 'a rule that errs is no permit there' : result.because
  return { event: 'canary-judged', point, result: result.kind, message }
}

const UNANSWERABLE = silence({
  kind: 'wrong',
  fault: 'policy_error',
  detail: 'the policy point answers others within the budget, and not this call',
})

const ISOLATED = silence({ kind: 'wrong', fault: 'isolated', detail: 'an operator has isolated the policy point' })
