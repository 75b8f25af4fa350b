import type { Call, Gate } from '../../src/index.ts'
import { partitionOf } from '../shared/journal.ts'
import { warnOfLostAnswer } from '../shared/lost-answer.ts'
import { namedRequest } from '../shared/named-request.ts'
import type { No, SaidInHistory } from './approval-parts.ts'

/** References to which a gate has heard a no, so that a long history is not read into the store again with each call. */
const MOST_HEARD = 1_000
const heardNos = new WeakMap<Gate, Set<string>>()

/** Can the person in this chat answer for this principal? An anonymous chat cannot: nobody is there to say yes. */
export function asksInChat({ scope }: Gate): boolean {
  return scope?.channel === 'chat' && scope.principal.type === 'user' && scope.principal.basis === 'stated'
}

/**
 * Hears the principal's answer in a resuming history. UNTRUSTED: the part is a pointer. It counts only when it names the very
 * confirmation that our own store holds open for these exact arguments, and whoever resumes is authenticated as the view's
 * principal.
 *
 * INVARIANT I2: one yes answers one request. A reference is made anew for each request, so a history that is sent again
 * confirms nothing that was asked after it, in this process or a later one.
 */
export async function hear(gate: Gate, call: Call, said: SaidInHistory): Promise<void> {
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
