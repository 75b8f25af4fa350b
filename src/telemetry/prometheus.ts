import type { EventSink } from '../types.ts'
import { Board } from './board.ts'
import { CONTENT_TYPE, textOf } from './exposition.ts'
import { type MeasureSource, Measures } from './measures.ts'

/** Counts what happens at a gate, and writes it down for Prometheus. */
export interface PrometheusSink {
  /** Belongs into `createGate({ events: [...] })`. */
  readonly sink: EventSink
  /** The present values in the text format 0.0.4. */
  text(): string
  readonly contentType: string
}

/**
 * Metrics for Prometheus, without a client library. Every label set stands at zero from the beginning, so that the first
 * fail-open is an increase. Labels are closed sets: no tool, person, argument or result occurs in them.
 *
 * @param source.health reads breakers, canaries, policy ages and held calls at each scrape; without it the breakers are known
 * by their events alone
 *
 * @example
 * const metrics = prometheusSink({ health: () => gate.health() })
 * const gate = createGate({ events: [metrics.sink] })
 */
export function prometheusSink(source: MeasureSource = {}): PrometheusSink {
  const board = new Board()
  const measures = new Measures(source)
  for (const measurement of measures.born()) board.record(measurement)
  return {
    sink: (event) => {
      for (const measurement of measures.of(event)) board.record(measurement)
    },
    text: () => {
      for (const measurement of measures.standing()) board.record(measurement)
      return textOf(board)
    },
    contentType: CONTENT_TYPE,
  }
}

/** The part of a Node request and response that is used; Express and Fastify's raw objects fit too. */
interface NodeRequest {
  readonly method?: string | undefined
}
interface NodeResponse {
  writeHead(status: number, headers: Record<string, string>): unknown
  end(body?: string): unknown
}

/** Answers scrapes, for a `node:http` server and for frameworks that speak `fetch`. */
export interface MetricsHandler {
  node(request: NodeRequest, response: NodeResponse): void
  fetch(request: Request): Response
}

/**
 * Answers GET and HEAD with the metrics, everything else with 405. Where it is mounted, and who may reach it, is the
 * application's to say: it listens nowhere by itself.
 *
 * @example
 * createServer(metricsHandler(metrics).node).listen(9464, '127.0.0.1')
 */
export function metricsHandler({ text, contentType }: Pick<PrometheusSink, 'text' | 'contentType'>): MetricsHandler {
  const answer = (
    method: string,
  ): { readonly status: number; readonly headers: Record<string, string>; body?: string } => {
    if (method === 'HEAD') return { status: 200, headers: { 'content-type': contentType } }
    if (method !== 'GET') return { status: 405, headers: { allow: 'GET, HEAD' } }
    return { status: 200, headers: { 'content-type': contentType, 'cache-control': 'no-store' }, body: text() }
  }
  return {
    node: ({ method = 'GET' }, response) => {
      const { status, headers, body } = answer(method)
      response.writeHead(status, headers)
      response.end(body)
    },
    fetch: ({ method }) => {
      const { status, headers, body } = answer(method)
      return new Response(body ?? null, { status, headers })
    },
  }
}
