import type { PolicyDecisionPoint } from '../types.ts'

/**
 * A policy decision point with an outage that can be switched on: for tests and demonstrations.
 *
 * @param during what a question comes to meanwhile; default: it hangs, as one does whose network is gone
 */
export function withOutage(
  inner: PolicyDecisionPoint,
  isOut: () => boolean,
  during: () => Promise<never> = () => new Promise(() => undefined),
): PolicyDecisionPoint {
  const unlessOut = <T>(answer: () => T): T | Promise<never> => (isOut() ? during() : answer())
  const { canary, policyAgeMs, tools } = inner
  return {
    id: inner.id,
    get policyDigest() {
      return inner.policyDigest
    },
    rederivable: inner.rederivable,
    readsSession: inner.readsSession,
    register: (server, listed) => inner.register(server, listed),
    explain: (request, schema) => inner.explain(request, schema),
    evaluate: (request, call) => unlessOut(() => inner.evaluate(request, call)),
    ...(tools === undefined ? {} : { tools }),
    ...(canary === undefined ? {} : { canary: (call) => unlessOut(() => canary.call(inner, call)) }),
    ...(policyAgeMs === undefined ? {} : { policyAgeMs: () => policyAgeMs.call(inner) }),
  }
}
