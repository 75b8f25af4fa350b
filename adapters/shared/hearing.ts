import type { ApprovalRecord, Call, Gate, Refusal } from '../../src/index.ts'
import { partitionOf } from './journal.ts'
import { warnOfLostAnswer } from './lost-answer.ts'
import { namedRequest } from './named-request.ts'

/** References to which a gate has heard a no, so that a long history is not read into the store again with each call. */
const MOST_HEARD = 1_000
const heardNos = new WeakMap<Gate, Set<string>>()

/** What a resuming host says that a person answered. A pointer: only our own store knows whether such a request exists. */
export interface Said {
  readonly answer: 'approved' | 'declined'
  /** The reference of the request that was shown; absent where the host kept none. */
  readonly ref: string | undefined
  /** In the person's own words. */
  readonly reason?: string
}

/** A no in a history, to the request of this reference. */
export interface No {
  readonly ref: string
  /** In the person's own words. */
  readonly reason?: string
}

/** Can the person in this chat answer for this principal? An anonymous chat cannot: nobody is there to say yes. */
export function asksInChat({ scope }: Gate): boolean {
  return scope?.channel === 'chat' && scope.principal.type === 'user' && scope.principal.basis === 'stated'
}

/**
 * May a host pause over this refusal? Only for a request that the person in this chat can answer; what needs a passkey is answered on
 * the page of approvals.
 */
export function isAskable(refusal: Refusal, request: ApprovalRecord | undefined): request is ApprovalRecord {
  return request?.requires === 'confirmation' && request.passkey !== true && wantsYes(refusal)
}

/** Is there somebody's yes to be had still? */
export function wantsYes({ code }: Refusal): boolean {
  return code === 'approval_required' || code === 'approval_pending'
}

/** Was the person asked just now? A host that waits for an answer outside its run has nothing to wait for twice. */
export function isAskedAnew({ code }: Refusal): boolean {
  return code === 'approval_required'
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
    const request = await namedRequest(gate, call, said.ref)
    if (request?.requires !== 'confirmation') return
    const { reason } = said
    await gate.answer(said.ref, said.answer, { channel: 'chat', ...(reason === undefined ? {} : { reason }) })
  } catch {
    // A store that cannot be asked has heard nothing; `admit` then refuses for the same reason.
    warnOfLostAnswer(gate, said.ref)
  }
}

/**
 * Hears what the principal said no to, wherever in the history it stands: the host shows a no by itself and asks nobody, so it is
 * heard before anything else is decided. UNTRUSTED: a no permits nothing, and `answer` takes none that is not this principal's here.
 *
 * INVARIANT I4: a no is final also where the call is not made again at once.
 */
export async function hearNos(gate: Gate, nos: readonly No[]): Promise<void> {
  if (nos.length === 0 || !asksInChat(gate)) return
  const heard = heardNos.get(gate) ?? new Set()
  heardNos.set(gate, heard)
  const partition = partitionOf(gate)
  for (const { ref, reason } of nos) {
    const key = `${partition}\n${ref}`
    if (heard.has(key)) continue
    try {
      await gate.answer(ref, 'declined', { channel: 'chat', ...(reason === undefined ? {} : { reason }) })
      if (heard.size >= MOST_HEARD) heard.clear()
      heard.add(key)
    } catch {
      warnOfLostAnswer(gate, ref)
    }
  }
}
