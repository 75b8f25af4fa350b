import pTimeout, { TimeoutError } from 'p-timeout'
import type { CanaryResult, Clock, Decision, PolicyDecisionPoint } from '../types.ts'
import { type AskTerms, within } from './deadline.ts'

/** How long a judgement stands, ms: one that has passed, and one that has not. */
const STANDS_MS = { passed: 300_000, otherwise: 10_000 } as const

/** Whether a point's rules that err are no permits there. */
export interface Canary {
  readonly standing: CanaryResult['kind'] | 'pending'
  /** A permit once it has passed; else why it has not. Asks the point where nothing is known, or what is known is old. */
  ask(terms: AskTerms): Decision | Promise<Decision>
  /** Asks anew, ahead of a call. Never rejects. */
  rehearse(): Promise<Decision>
  /**
   * Asks beside a call that is slow: a point that answers this and not the call is not absent, whatever the call holds. At most one
   * such question is under way.
   */
  control(answer: Promise<Decision>, terms: AskTerms): Control
  /** What was known is old: the engine may have come back with other settings. */
  forget(): void
}

/** What a control question has shown so far. */
export interface Control {
  answered: boolean
  /** The gate could not even ask: then nothing is known of the point. */
  stalled: boolean
}

interface Judgement {
  readonly kind: CanaryResult['kind']
  readonly decision: Decision
  readonly untilAt: number
}

/** What a canary works with. */
interface CanaryParts {
  readonly clock: Clock
  /** The whole policy budget, ms: whoever asks first, the answer is everybody's. */
  readonly timeoutMs: number
  readonly judged: (result: CanaryResult) => void
}

/** The canary of a point, or `undefined` for a point that has none. */
export function createCanary(
  point: PolicyDecisionPoint,
  { clock, timeoutMs, judged }: CanaryParts,
): Canary | undefined {
  const canary = point.canary?.bind(point)
  if (canary === undefined) return undefined
  let known: Judgement | undefined
  let asking: Promise<Decision> | undefined
  let told: CanaryResult['kind'] | undefined
  /** Grows when what is known is forgotten: an answer to an older question says nothing of the engine that came after. */
  let generation = 0

  const learn = (result: CanaryResult, asked: number): Decision => {
    const decision = decisionOf(result, point.id)
    if (asked !== generation) return decision
    const stands = result.kind === 'passed' ? STANDS_MS.passed : STANDS_MS.otherwise
    known = { kind: result.kind, decision, untilAt: clock.monotonic() + stands }
    if (told !== result.kind) judged(result)
    told = result.kind
    return decision
  }

  // Bounded in time and read as strictly as any answer. No caller's signal ends it.
  const put = async (): Promise<Decision> => {
    const asked = generation
    const question = async (call: { readonly signal: AbortSignal }) => learn(resultOf(await canary(call)), asked)
    return await within(question, { point: point.id, budgetMs: timeoutMs, clock, signal: undefined, schema: undefined })
  }

  const share = (): Promise<Decision> => {
    if (asking !== undefined) return asking
    const mine = put().finally(() => {
      if (asking === mine) asking = undefined
    })
    asking = mine
    return mine
  }

  return {
    get standing() {
      return known?.kind ?? 'pending'
    },
    ask(terms) {
      if (known !== undefined && clock.monotonic() < known.untilAt) return known.decision
      const shared = share()
      // What becomes of a canary is no verdict on a call, early or late.
      const { late: _, ...unheard } = terms
      return within(() => shared, { ...unheard, point: point.id })
    },
    rehearse: share,
    control(answer, { budgetMs }) {
      const control = { answered: false, stalled: false }
      const late = async (cause: unknown): Promise<void> => {
        if (!(cause instanceof TimeoutError)) return
        const decision = await share()
        control.answered = isPresent(decision)
        control.stalled =
          decision.kind === 'silence' && decision.cause.kind === 'wrong' && decision.cause.fault === 'stalled'
      }
      pTimeout(answer, { milliseconds: Math.max(1, Math.min(budgetMs / 2, LONGEST_WAIT_MS)) }).catch(late)
      return control
    },
    forget() {
      generation += 1
      asking = undefined
      if (known !== undefined) known = { ...known, untilAt: Number.NEGATIVE_INFINITY }
    },
  }
}

const LONGEST_WAIT_MS = 60_000

/** Whatever it says, it is there. */
function isPresent(decision: Decision): boolean {
  if (decision.kind !== 'silence') return true
  const { cause } = decision
  return cause.kind === 'wrong'
    ? cause.fault === 'unusable_policy' || cause.fault === 'policy_error'
    : cause.kind !== 'absent'
}

/** UNTRUSTED: a client of one's own may return anything. Read once, as plain data of its own. */
function resultOf(value: unknown): CanaryResult {
  const own = typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptors(value) : {}
  const { kind, because } = own as { readonly [name: string]: PropertyDescriptor | undefined }
  if (kind?.value === 'passed') return { kind: 'passed' }
  const why: unknown = because?.value
  return {
    kind: kind?.value === 'failed' ? 'failed' : 'unestablished',
    because: typeof why === 'string' ? why.slice(0, 512) : 'its canary gave no answer that can be read',
  }
}

function decisionOf(result: CanaryResult, point: string): Decision {
  if (result.kind === 'passed') return { kind: 'permit', obligations: [], determining: [], errors: [] }
  return {
    kind: 'silence',
    cause: { kind: 'wrong', fault: 'unusable_policy', detail: `${point}: ${result.because}` },
    determining: [],
    errors: [],
  }
}
