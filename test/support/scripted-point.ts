import type { Clock, Decision, EvaluationRequest, PolicyDecisionPoint } from '../../src/types.ts'

/** A permit as a policy point would give it. */
export const PERMIT: Decision = { kind: 'permit', determining: ['script'], errors: [], obligations: [] }

/** A policy that speaks against the call. */
export const DENY: Decision = { kind: 'deny', determining: ['script'], errors: [] }

/** A policy that wants the yes of the person whose call it is. */
export const ASK = {
  kind: 'silence',
  cause: { kind: 'requestable', requires: 'confirmation' },
  determining: ['script'],
  errors: [],
} as const satisfies Decision

/** A policy decision point that answers whatever the test says: a value, a promise, a throw, or never. */
export function scriptedPoint(
  answer: (request: EvaluationRequest, signal: AbortSignal) => unknown,
  details: { readonly readsSession?: boolean | 'conversation' } = {},
): PolicyDecisionPoint {
  return {
    id: 'script',
    policyDigest: 'script'.padEnd(43, '0'),
    rederivable: false,
    readsSession: details.readsSession ?? false,
    register: () => [],
    evaluate: (request, { signal }) => answer(request, signal),
    explain: () => ({ constraints: [], policies: [] }),
  }
}

/** A clock that stands still until the test moves it, both hands together. */
export function handClock(startAt = 1_800_000_000_000): Clock & { advance(ms: number): void } {
  let passed = 0
  return {
    now: () => startAt + passed,
    monotonic: () => passed,
    advance: (ms) => {
      passed += ms
    },
  }
}
