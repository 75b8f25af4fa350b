import type { Call, Gate } from '../../src/index.ts'
import type { SaidInHistory } from './approval-parts.ts'

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
    const request = await gate.requestFor(call)
    if (request?.ref !== said.ref || request.requires !== 'confirmation') return
    const { reason } = said
    await gate.answer(said.ref, said.answer, { channel: 'chat', ...(reason === undefined ? {} : { reason }) })
  } catch {
    // A store that cannot be asked has heard nothing; `admit` then refuses for the same reason.
  }
}
