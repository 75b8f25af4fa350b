import type { Crossed } from './cross.ts'

/** How often a tool that pauses by itself may be run again after an answer. */
const MOST_RUNS = 64

/**
 * Runs a call of a tool that pauses by itself: its host runs it again from its first line once somebody has answered.
 *
 * INVARIANT I2: each run after an answer is a call of its own, which runs once. It runs only where every run before it stopped
 * without an end (`outcome_unknown`): one that ended is the last, however often its answer comes. One whose process died has no end either:
 * the store does not tell it from a pause, so an app that names a tool in `pauses` answers for its being run again.
 *
 * @param hasAnswer an answer comes with this run; without one, a call that has begun is not begun again
 * @param crossOnce run 0 is the call itself
 */
export async function crossRuns(hasAnswer: boolean, crossOnce: (run: number) => Promise<Crossed>): Promise<Crossed> {
  const most = hasAnswer ? MOST_RUNS : 1
  let crossed = await crossOnce(0)
  for (let run = 1; run < most && stopped(crossed); run += 1) crossed = await crossOnce(run)
  return crossed
}

/** The id of a run: what its receipt and key have. */
export function idOfRun(callId: string, run: number): string {
  return run === 0 ? callId : `${callId}:${run}`
}

/** Did this run begin, and stop before its end? */
function stopped(crossed: Crossed): boolean {
  return crossed.outcome === 'refused' && crossed.refusal.code === 'outcome_unknown'
}
