import type { ApprovalRecord, Call, Gate } from '../../src/index.ts'

/**
 * The request that an answer names, where it is about this very call: the call's own, or the one that followed the yes to it because
 * policy changed its arguments since. UNTRUSTED: the reference comes from a client.
 *
 * INVARIANT I3: other arguments have another request.
 */
export async function namedRequest(gate: Gate, call: Call, ref: string): Promise<ApprovalRecord | undefined> {
  const own = await gate.requestFor(call)
  if (own === undefined || own.ref === ref) return own
  const named = await gate.request(ref)
  return named?.after === own.ref ? named : undefined
}
