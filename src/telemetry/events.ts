import type { EventSink, GateEvent } from '../types.ts'

/** Sends each event to every sink. A sink that throws never disturbs a decision. */
export function fanOut(sinks: readonly EventSink[]): EventSink {
  return (event: GateEvent) => {
    for (const sink of sinks) {
      try {
        const told: unknown = sink(event)
        // The type lets a sink be asynchronous: by its failure it would end the process.
        if (told instanceof Promise) told.catch(() => undefined)
      } catch {
        // A sink is an observer: the decision and its receipt stand without it.
      }
    }
  }
}
