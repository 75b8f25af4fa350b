import type { CanaryResult, Clock, Decision, PolicyDecisionPoint } from '../types.ts'
import { type AskTerms, within } from './deadline.ts'

/** How long a judgement stands, ms: one that has passed, and one that has not. */
const STANDS_MS = { passed: 300_000, otherwise: 10_000 } as const

/** Whoever asks first, the answer is everybody's: no caller's signal ends the question. */
export type CanaryTerms = Pick<AskTerms, 'budgetMs' | 'clock'>

/** Whether a point's rules that err are no permits there. */
export interface Canary {
  readonly standing: CanaryResult['kind'] | 'pending'
  /** A permit once it has passed; else why it has not. Asks the point where nothing is known, or what is known is old. */
  ask(terms: CanaryTerms): Decision | Promise<Decision>
  /** Asks anew, ahead of a call. Never rejects. */
  rehearse(terms: CanaryTerms): Promise<Decision>
  /** What was known is of no use: the engine may have come back with other settings. */
  forget(): void
}

interface Judgement {
  readonly kind: CanaryResult['kind']
  readonly decision: Decision
  readonly untilAt: number
}

/** The canary of a point, or `undefined` for a point that has none. */
export function createCanary(
  point: PolicyDecisionPoint,
  { clock, judged }: { readonly clock: Pick<Clock, 'monotonic'>; readonly judged: (result: CanaryResult) => void },
): Canary | undefined {
  const canary = point.canary?.bind(point)
  if (canary === undefined) return undefined
  let known: Judgement | undefined
  let asking: Promise<Decision> | undefined
  let told: string | undefined

  const learn = (result: CanaryResult): Decision => {
    const decision = decisionOf(result, point.id)
    const stands = result.kind === 'passed' ? STANDS_MS.passed : STANDS_MS.otherwise
    known = { kind: result.kind, decision, untilAt: clock.monotonic() + stands }
    if (told !== result.kind) judged(result)
    told = result.kind
    return decision
  }

  // Bounded in time and read as strictly as any answer.
  const put = async ({ budgetMs, clock }: CanaryTerms): Promise<Decision> => {
    try {
      const question = async (call: { readonly signal: AbortSignal }) => learn(resultOf(await canary(call)))
      return await within(question, { point: point.id, budgetMs, clock, signal: undefined, schema: undefined })
    } finally {
      asking = undefined
    }
  }

  return {
    get standing() {
      return known?.kind ?? 'pending'
    },
    ask(terms) {
      if (known !== undefined && clock.monotonic() < known.untilAt) return known.decision
      asking ??= put(terms)
      return asking
    },
    async rehearse(terms) {
      asking ??= put(terms)
      return await asking
    },
    forget() {
      known = undefined
    },
  }
}

/** UNTRUSTED: a client of one's own may return anything. */
function resultOf(value: unknown): CanaryResult {
  const { kind, because } = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  if (kind === 'passed') return { kind }
  const why = typeof because === 'string' ? because.slice(0, 512) : 'its canary gave no answer that can be read'
  return { kind: kind === 'failed' ? 'failed' : 'unestablished', because: why }
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
