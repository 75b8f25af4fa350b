import type { Clock } from './types.ts'

/** Decides and receipts but blocks nothing, until `untilAt`. */
export interface Observation {
  readonly kind: 'observe'
  readonly untilAt: number
  readonly isOn: () => boolean
}

/**
 * Observe mode, until its end.
 *
 * INVARIANT I4: it ends by itself and for good. A wall clock that is put back does not begin it again, and one that stands still
 * does not keep it on.
 */
export function observation(untilAt: number, clock: Clock): Observation {
  const endsAt = clock.monotonic() + untilAt - clock.now()
  let isOver = false
  const isOn = (): boolean => {
    isOver ||= !(clock.now() < untilAt && clock.monotonic() < endsAt)
    return !isOver
  }
  return { kind: 'observe', untilAt, isOn }
}
