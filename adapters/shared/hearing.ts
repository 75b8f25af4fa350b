import type { ApprovalRecord, Call, Gate, Refusal } from '../../src/index.ts'

/** What a resuming host says that a person answered. A pointer: only our own store knows whether such a request exists. */
export interface Said {
  readonly answer: 'approved' | 'declined'
  /** The reference of the request that was shown; absent where the host kept none. */
  readonly ref: string | undefined
  /** In the person's own words. */
  readonly reason?: string
}

/** Can the person in this chat answer for this principal? An anonymous chat cannot: nobody is there to say yes. */
export function asksInChat({ scope }: Gate): boolean {
  return scope?.channel === 'chat' && scope.principal.type === 'user' && scope.principal.basis === 'stated'
}

/** May a host pause over this refusal? Only for a request that the person in this chat can answer. */
export function isAskable(refusal: Refusal, request: ApprovalRecord | undefined): request is ApprovalRecord {
  return request?.requires === 'confirmation' && wantsYes(refusal)
}

/** Is there somebody's yes to be had still? */
export function wantsYes({ code }: Refusal): boolean {
  return code === 'approval_required' || code === 'approval_pending'
}

/**
 * Hears the principal's answer where a host resumes. UNTRUSTED: what the host kept of it is a pointer. It counts only when it
 * names the very confirmation that our own store holds open for these exact arguments, and whoever resumes is authenticated as
 * the view's principal.
 *
 * INVARIANT I2: one yes answers one request. A reference is made anew for each request, so a history that is sent again
 * confirms nothing that was asked after it, in this process or a later one.
 */
export async function hear(gate: Gate, call: Call, said: Said): Promise<void> {
  if (said.ref === undefined) return
  try {
    const request = await gate.requestFor(call)
    if (request?.ref !== said.ref || request.requires !== 'confirmation') return
    const { reason } = said
    await gate.answer(said.ref, said.answer, { channel: 'chat', ...(reason === undefined ? {} : { reason }) })
  } catch {
    // A store that cannot be asked has heard nothing; `admit` then refuses for the same reason.
  }
}
