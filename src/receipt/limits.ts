/**
 * How much a receipt holds: characters of a text, items of a list. What drafts one cuts to these, and what reads one refuses
 * more, so they are part of the format.
 */
export const MOST = {
  /** Bytes of the payload. */
  payload: 32 * 1024,
  /** A principal, an agent, whoever said yes. */
  id: 512,
  /** The gate, a tenant, a role, a tool. */
  name: 256,
  server: 64,
  roles: 64,
  evidence: 8,
  /** Where a piece of evidence stands. */
  place: 256,
  because: 512,
  /** Policies that determined a decision, and policies that erred. */
  policies: 64,
  policyId: 128,
  obligations: 32,
  obligationType: 128,
  parents: 64,
  note: 512,
  /** What a person says beside a yes or a no. */
  reason: 512,
  /** Persons behind one approval. */
  persons: 16,
} as const

/**
 * UNTRUSTED: text of a policy point, a tool's definition or a host, cut to what a receipt may hold.
 *
 * INVARIANT I6: no outsider can make us sign a receipt that a verifier rejects.
 */
export function cut(text: string, most: number): string {
  return text.slice(0, most).toWellFormed()
}
