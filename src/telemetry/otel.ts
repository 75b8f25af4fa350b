import { type Meter, metrics, type Tracer, trace } from '@opentelemetry/api'
import type { EventSink } from '../types.ts'
import { fanOut } from './events.ts'
import type { MeasureSource } from './measures.ts'
import { meterSink } from './otel-metrics.ts'
import { type SpanName, spanSink } from './otel-spans.ts'

/** What {@link openTelemetrySink} is told. */
export interface OpenTelemetrySource extends MeasureSource {
  /** Default: the meter `holdpoint` of the global provider, which must have been set before. */
  readonly meter?: Meter
  /** Default: the tracer `holdpoint` of the global provider. */
  readonly tracer?: Tracer
  /** Names that spans hold beside the tool's. Default: none. No metric ever holds one. */
  readonly names?: readonly SpanName[]
}

const SCOPE = 'holdpoint'

/**
 * Metrics and spans through the OpenTelemetry API. Names follow the conventions for GenAI where there are any, and are
 * `holdpoint.…` elsewhere. Arguments and results occur in neither, people and conversations only where `names` says so.
 *
 * @example
 * const gate = createGate({ events: [openTelemetrySink({ health: () => gate.health() })] })
 */
export function openTelemetrySink(source: OpenTelemetrySource = {}): EventSink {
  const { meter = metrics.getMeter(SCOPE), tracer = trace.getTracer(SCOPE), names = [] } = source
  return fanOut([meterSink(meter, source), spanSink(tracer, names)])
}
