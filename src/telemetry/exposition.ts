import type { Board, Distribution } from './board.ts'
import { type Instrument, type InstrumentName, instruments, type Labels } from './instruments.ts'

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** The board as text, every metric with its help and type (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export function textOf(board: Board): string {
  return instruments()
    .map(([name, instrument]) => {
      const metric = metricName(name, instrument)
      const head = [`# HELP ${metric} ${escapeHelp(instrument.help)}`, `# TYPE ${metric} ${instrument.kind}`]
      const samples = [...board.series(name)].flatMap(({ labels, value }) =>
        typeof value === 'number'
          ? [sample(metric, labels, value)]
          : bucketSamples(metric, labels, value, instrument.buckets ?? []),
      )
      return samples.length === 0 ? '' : `${[...head, ...samples].join('\n')}\n`
    })
    .join('')
}

function bucketSamples(
  metric: string,
  labels: Labels,
  { buckets, sum, count }: Distribution,
  bounds: readonly number[],
): readonly string[] {
  let below = 0
  const cumulative = bounds.map((bound, at) => {
    below += buckets[at] ?? 0
    return sample(`${metric}_bucket`, { ...labels, le: String(bound) }, below)
  })
  return [
    ...cumulative,
    sample(`${metric}_bucket`, { ...labels, le: '+Inf' }, count),
    sample(`${metric}_sum`, labels, sum),
    sample(`${metric}_count`, labels, count),
  ]
}

/** `holdpoint.decision.duration` in seconds is `holdpoint_decision_duration_seconds`. */
function metricName(name: InstrumentName, { kind, unit }: Instrument): string {
  return `${name.replaceAll('.', '_')}${unit === 's' ? '_seconds' : ''}${kind === 'counter' ? '_total' : ''}`
}

function sample(metric: string, labels: Labels, value: number): string {
  const inside = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
  return `${metric}${inside.length === 0 ? '' : `{${inside.join(',')}}`} ${value}`
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
