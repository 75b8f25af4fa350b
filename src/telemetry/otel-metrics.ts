import type { Meter, Observable } from '@opentelemetry/api'
import type { EventSink } from '../types.ts'
import { Board } from './board.ts'
import { measureAttributes, measureName } from './conventions.ts'
import { type Instrument, type InstrumentName, instruments } from './instruments.ts'
import { type Measurement, type MeasureSource, Measures } from './measures.ts'

type Recorder = (measurement: Measurement) => void

/** Records what happens at a gate with a meter. Gauges are read when the SDK collects. */
export function meterSink(meter: Meter, source: MeasureSource): EventSink {
  const measures = new Measures(source)
  const gauges = new Board()
  const recorders = new Map<InstrumentName, Recorder>()
  const observed: (readonly [InstrumentName, Observable])[] = []
  for (const [name, instrument] of instruments()) {
    if (instrument.kind === 'gauge') observed.push([name, meter.createObservableGauge(...described(name, instrument))])
    recorders.set(name, recorderOf(meter, name, instrument) ?? ((measurement) => gauges.record(measurement)))
  }
  const record: Recorder = (measurement) => recorders.get(measurement.of)?.(measurement)
  for (const measurement of measures.born()) record(measurement)
  meter.addBatchObservableCallback(
    (result) => {
      for (const measurement of measures.standing()) record(measurement)
      for (const [name, gauge] of observed) {
        for (const { labels, value } of gauges.series(name)) {
          if (typeof value === 'number') result.observe(gauge, value, measureAttributes(name, labels))
        }
      }
    },
    observed.map(([, gauge]) => gauge),
  )
  return (event) => {
    for (const measurement of measures.of(event)) record(measurement)
  }
}

function recorderOf(meter: Meter, name: InstrumentName, instrument: Instrument): Recorder | undefined {
  switch (instrument.kind) {
    case 'counter': {
      const counter = meter.createCounter(...described(name, instrument))
      return ({ labels, value }) => counter.add(value, measureAttributes(name, labels))
    }
    case 'histogram': {
      const [called, details] = described(name, instrument)
      const advice = { explicitBucketBoundaries: [...(instrument.buckets ?? [])] }
      const histogram = meter.createHistogram(called, { ...details, advice })
      return ({ labels, value }) => histogram.record(value, measureAttributes(name, labels))
    }
    case 'gauge':
      return undefined
  }
}

function described(
  name: InstrumentName,
  { help, unit }: Instrument,
): readonly [string, { readonly description: string; readonly unit: string }] {
  return [measureName(name), { description: help, unit: unit ?? '1' }]
}
