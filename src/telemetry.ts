/**
 * `holdpoint/telemetry`: metrics and traces of a gate. The log's sink, `pinoSink`, is in `holdpoint` itself.
 */
export type { MeasureSource } from './telemetry/measures.ts'
export { type OpenTelemetrySource, openTelemetrySink } from './telemetry/otel.ts'
export type { SpanName } from './telemetry/otel-spans.ts'
export { type MetricsHandler, metricsHandler, type PrometheusSink, prometheusSink } from './telemetry/prometheus.ts'
