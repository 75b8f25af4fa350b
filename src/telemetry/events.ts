import type { EventSink, GateEvent } from '../types.ts'

/** Sends each event to every sink. A sink that throws never disturbs a decision. */
export function fanOut(sinks: readonly EventSink[]): EventSink {
  return (event: GateEvent) => {
    for (const sink of sinks) {
      try {
        sink(event)
      } catch {
        // A sink is an observer: the decision and its receipt stand without it.
      }
    }
  }
}
