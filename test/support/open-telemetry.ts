import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, type ContextManager, context, ROOT_CONTEXT } from '@opentelemetry/api'
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

/** One data point as a test looks at it: a histogram is its count. */
export interface Reading {
  readonly name: string
  readonly attributes: { readonly [name: string]: unknown }
  readonly value: number
  readonly bounds?: readonly number[]
}

/** The real SDKs, exporting into memory. */
export function sdk() {
  const exporter = new InMemorySpanExporter()
  const tracers = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  const collected = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: collected, exportIntervalMillis: 3_600_000 })
  const meters = new MeterProvider({ readers: [reader] })
  return {
    tracer: tracers.getTracer('test'),
    meter: meters.getMeter('test'),
    spans: () => exporter.getFinishedSpans(),
    readings: async (): Promise<readonly Reading[]> => {
      collected.reset()
      await reader.forceFlush()
      return collected.getMetrics().flatMap(({ scopeMetrics }) =>
        scopeMetrics.flatMap(({ metrics }) =>
          metrics.flatMap((metric): readonly Reading[] => {
            const { name } = metric.descriptor
            if (metric.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) return []
            return metric.dataPointType === DataPointType.HISTOGRAM
              ? metric.dataPoints.map(({ attributes, value }) => ({
                  name,
                  attributes,
                  value: value.count,
                  bounds: value.buckets.boundaries,
                }))
              : metric.dataPoints.map(({ attributes, value }) => ({ name, attributes, value }))
          }),
        ),
      )
    },
    close: async () => {
      await meters.shutdown()
      await tracers.shutdown()
    },
  }
}

/** What keeps the active span across `await`, as the Node SDK's own context manager does. */
export function keepContext(): void {
  const storage = new AsyncLocalStorage<Context>()
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, run, self, ...args) => storage.run(active, () => run.call(self, ...args)),
    bind: (active, target) =>
      typeof target === 'function'
        ? (((...args: unknown[]) => storage.run(active, () => target(...args))) as typeof target)
        : target,
    enable: () => manager,
    disable: () => manager,
  }
  context.setGlobalContextManager(manager)
}
