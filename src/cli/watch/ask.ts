/** Asks the person at this terminal about one call. */
import { setTimeout as pause } from 'node:timers/promises'
import type { ApprovalRecord, ApprovalStore } from '../../types.ts'
import type { Terminal } from '../terminal.ts'
import { cardOf, questionOf, turnOf } from './card.ts'
import type { Keys } from './keys.ts'

const GLANCE_MS = 250
/** A key pressed so soon after the question appeared was meant for something else. */
const TOO_SOON_MS = 400

/**
 * The person's answer. Nothing but their own `y` or `n` is one: not Enter, not silence, not Ctrl-C; and a `y` only below the
 * last page of the card.
 */
export async function ask(
  request: ApprovalRecord,
  desk: Pick<ApprovalStore, 'get'>,
  keys: Keys,
  terminal: Terminal,
  ending: AbortSignal,
): Promise<'approved' | 'declined' | undefined> {
  const pages = cardOf(request, terminal, Date.now())
  let page = -1
  let shownAt = 0
  const turn = (): void => {
    page += 1
    terminal.out(`\n${pages[page]}`)
    process.stdout.write(
      page === pages.length - 1 ? questionOf(request, terminal) : turnOf(page, pages.length, terminal),
    )
    shownAt = performance.now()
  }
  turn()
  let answer: 'approved' | 'declined' | undefined
  const stop = keys.listen((key) => {
    if (performance.now() - shownAt < TOO_SOON_MS) return
    const isLast = page === pages.length - 1
    if (key === ' ' && !isLast) turn()
    if (key === 'n' || key === 'N') answer = 'declined'
    if (isLast && (key === 'y' || key === 'Y')) answer = 'approved'
  })
  try {
    while (answer === undefined && !ending.aborted && (await desk.get(request.ref))?.state === 'pending') {
      await pause(GLANCE_MS, undefined, { signal: ending }).catch(() => {})
    }
  } finally {
    stop()
    process.stdout.write('\n')
  }
  return answer
}
