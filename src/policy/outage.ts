import type { PolicyDecisionPoint } from '../types.ts'

/** A policy decision point that hangs while there is an outage, as one does whose network is gone: for tests and demonstrations. */
export function withOutage(inner: PolicyDecisionPoint, isOut: () => boolean): PolicyDecisionPoint {
  const unlessOut = <T>(answer: () => T): T | Promise<never> => (isOut() ? new Promise(() => undefined) : answer())
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
