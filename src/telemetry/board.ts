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
  readonly #series = new Map<InstrumentName, Map<string, Held>>()

  constructor() {
    for (const [name, { kind, born }] of instruments()) {
      const all = new Map<string, Held>()
      this.#series.set(name, all)
      if (kind === 'histogram') for (const labels of born) all.set(keyOf(labels), empty(labels, INSTRUMENTS[name]))
    }
  }

  /** A gauge that is no number is not known any more, and no series. */
  record({ of, labels, value }: Measurement): void {
    const all = this.#series.get(of)
    if (all === undefined) return
    const instrument: Instrument = INSTRUMENTS[of]
    const key = keyOf(labels)
    if (instrument.kind === 'gauge' && Number.isNaN(value)) {
      all.delete(key)
      return
    }
    const held = all.get(key) ?? empty(labels, instrument)
    all.set(key, held)
    if (typeof held.value === 'object') put(held.value, instrument.buckets ?? [], value)
    else held.value = instrument.kind === 'gauge' ? value : held.value + value
  }

  /** The series of an instrument, in the order in which they came into being. */
  series(of: InstrumentName): Iterable<Series> {
    return this.#series.get(of)?.values() ?? []
  }
}

interface Held {
  readonly labels: Labels
  value: number | { readonly buckets: number[]; sum: number; count: number }
}

function empty(labels: Labels, { kind, buckets = [] }: Instrument): Held {
  if (kind !== 'histogram') return { labels, value: 0 }
  return { labels, value: { buckets: new Array<number>(buckets.length + 1).fill(0), sum: 0, count: 0 } }
}

function put(
  held: { readonly buckets: number[]; sum: number; count: number },
  bounds: readonly number[],
  value: number,
): void {
  const at = bounds.findIndex((bound) => value <= bound)
  const hit = at === -1 ? bounds.length : at
  held.buckets[hit] = (held.buckets[hit] ?? 0) + 1
  held.sum += value
  held.count += 1
}

/** The labels of an instrument always come in the same order, and no separator occurs in closed sets and shaped ids. */
function keyOf(labels: Labels): string {
  let key = ''
  for (const label in labels) key += `${labels[label]},`
  return key
}
