/** A trace as data. */
import { toolOf } from '../receipts.ts'
import { fateOf } from './fate.ts'
import type { Trace, TracedCall } from './traced.ts'

/** Times are ms since 1970 UTC as the gates said them, durations µs. */
export function traceAsJson({ id, steps, left, unreadable }: Trace): object {
  return {
    trace: id,
    steps: steps.map(({ calls, after, elsewhere }) => ({
      after,
      ...(elsewhere === 0 ? {} : { elsewhere }),
      calls: calls.map(callAsJson),
    })),
    ...(left === 0 ? {} : { left }),
    ...(unreadable === 0 ? {} : { unreadable }),
  }
}

function callAsJson(call: TracedCall): object {
  const { id, hash, claims } = call.decision
  const { principal, agent, materiality, surface, decision, basis, code, enforced, policy, approval, override, pdp } =
    claims
  const ended = call.outcome
  return {
    call: call.number,
    tool: toolOf(claims),
    fate: fateOf(call).kind,
    materiality,
    surface,
    principal,
    agent,
    decision: {
      receipt: id,
      hash,
      at: claims.ts,
      us: pdp?.us,
      decision,
      basis,
      code,
      enforced,
      policies: policy.determining,
      approval,
      override,
      parents: claims.parents ?? [],
    },
    ...(ended === undefined
      ? {}
      : {
          outcome: {
            receipt: ended.id,
            hash: ended.hash,
            at: ended.claims.ts,
            status: ended.claims.status,
            us: ended.claims.us,
            recovered: ended.claims.recovered,
          },
        }),
  }
}
