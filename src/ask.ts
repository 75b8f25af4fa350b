import { canonicalText } from './bytes/canonical.ts'
import type { Arrival } from './pass.ts'
import type { AdmitOptions, Scope } from './types.ts'

/** Who asks for what. */
export interface Ask {
  readonly scope: Scope
  readonly arrival: Arrival
  readonly requires: AdmitOptions['requires']
  readonly obliging: AdmitOptions['obliging']
}

/**
 * May one call join another of the same key? Only when everything that a policy reads is the same: an idempotency key names
 * neither tool nor place, and hosts reuse call ids. Anything else is the store's to judge.
 */
export function isSameAsk(one: Ask, other: Ask): boolean {
  if (one.arrival.contract !== other.arrival.contract || one.requires !== other.requires) return false
  if (one.obliging !== other.obliging) return false
  if (one.arrival.snapshot?.digest !== other.arrival.snapshot?.digest) return false
  return one.scope === other.scope || readable(one.scope) === readable(other.scope)
}

function readable({ principal, agent, conversation, environment }: Scope): string {
  return canonicalText({ principal, agent, conversation, environment })
}
