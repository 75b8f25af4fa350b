import type { Admission, Call, Gate } from '../../src/index.ts'
import type { SaidInHistory } from './approval-parts.ts'

/** Approval parts that were already in the history when a request was opened, so that they cannot be its answer. */
const older = new Set<string>()
const MOST_OLDER = 1_000

/**
 * Hears the principal's answer in a resuming history. UNTRUSTED: the part is a pointer. It counts only for a confirmation that
 * our own store holds open for these exact arguments, and whoever resumes is authenticated as the view's principal.
 */
export async function hear(gate: Gate, call: Call, said: SaidInHistory): Promise<void> {
  try {
    const request = await gate.requestFor(call)
    if (request?.state !== 'pending' || request.requires !== 'confirmation') return
    // INVARIANT I2: one yes answers one request. A history that is sent again must not confirm a request that came after it.
    if (older.has(pair(request.ref, said)) || (said.ref !== undefined && said.ref !== request.ref)) return
    await gate.answer(request.ref, said.answer, { channel: 'chat' })
  } catch {
    // A store that cannot be asked has heard nothing; `admit` then refuses for the same reason.
  }
}

/** A request that stands open after this history was heard is not what this history said yes to. */
export function noteUnheard(admission: Admission, said: SaidInHistory): void {
  if (admission.outcome !== 'refused' || admission.request === undefined) return
  older.add(pair(admission.request.ref, said))
  for (const oldest of older) {
    if (older.size <= MOST_OLDER) return
    older.delete(oldest)
  }
}

function pair(ref: string, said: SaidInHistory): string {
  return `${ref} ${said.approvalId}`
}
