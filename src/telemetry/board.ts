import { INSTRUMENTS, type Instrument, type InstrumentName, instruments, type Labels } from './instruments.ts'
import type { Measurement } from './measures.ts'

/** How a histogram stands. */
export interface Distribution {
  /** How many values fell into each bucket and into no bucket before it; the last stands for those above every bound. */
  readonly buckets: readonly number[]
  readonly sum: number
  readonly count: number
}

/** One time series as it stands. */
export interface Series {
  readonly labels: Labels
  readonly value: number | Distribution
}

/** Holds the present value of every series. Histograms exist from the beginning; counters and gauges from their first reading. */
export class Board {
  readonly #series = new Map<InstrumentName, Map<string, Series>>()

  constructor() {
    for (const [name, { kind, born, buckets = [] }] of instruments()) {
      const empty = { buckets: new Array<number>(buckets.length + 1).fill(0), sum: 0, count: 0 }
      const first = kind === 'histogram' ? born.map((labels) => ({ labels, value: empty })) : []
      this.#series.set(name, new Map(first.map((series) => [keyOf(series.labels), series])))
    }
  }

  record({ of, labels, value }: Measurement): void {
    const all = this.#series.get(of)
    if (all === undefined) return
    const instrument: Instrument = INSTRUMENTS[of]
    const key = keyOf(labels)
    all.set(key, { labels, value: next(instrument, all.get(key)?.value, value) })
  }

  /** The series of an instrument, in the order in which they came into being. */
  series(of: InstrumentName): readonly Series[] {
    return [...(this.#series.get(of)?.values() ?? [])]
  }
}

function next({ kind, buckets = [] }: Instrument, before: Series['value'] | undefined, value: number): Series['value'] {
  switch (kind) {
    case 'gauge':
      return value
    case 'counter':
      return (typeof before === 'number' ? before : 0) + value
    case 'histogram': {
      const held = typeof before === 'object' ? before : { buckets: [], sum: 0, count: 0 }
      const at = buckets.findIndex((bound) => value <= bound)
      const hit = at === -1 ? buckets.length : at
      return {
        buckets: Array.from({ length: buckets.length + 1 }, (_, i) => (held.buckets[i] ?? 0) + (i === hit ? 1 : 0)),
        sum: held.sum + value,
        count: held.count + 1,
      }
    }
  }
}

/** Labels are closed sets and shaped ids, so no separator occurs in them. */
function keyOf(labels: Labels): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .sort()
    .join(',')
}
