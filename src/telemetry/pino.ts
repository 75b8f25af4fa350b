import type { EventSink, GateEvent } from '../types.ts'

/** The part of a pino logger that the sink uses. */
export interface Logger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/**
 * Writes each event as one log line. Fields are copied by name, one list per event, so arguments cannot reach a log even
 * when an event grows a member.
 *
 * @example
 * const gate = createGate({ events: [pinoSink(pino())] })
 */
export function pinoSink(logger: Logger): EventSink {
  return (event) => logger[level(event)](fields(event), event.event)
}

function level(event: GateEvent): 'info' | 'warn' | 'error' {
  switch (event.event) {
    case 'receipt-failed':
    case 'failure-opened':
    case 'override-used':
      return 'error'
    case 'breaker-moved':
    case 'canary-judged':
    case 'verdict-late':
    case 'answer-rejected':
    case 'replay-detected':
    case 'tool-quarantined':
    case 'log-stalled':
    case 'policy-misfitted':
    case 'programmer-warned':
      return 'warn'
    case 'decision-made':
      return event.decision === 'permit' && event.code === undefined ? 'info' : 'warn'
    case 'outcome-recovered':
      return event.status === 'unknown' ? 'error' : 'info'
    default:
      return 'info'
  }
}

function fields(event: GateEvent): object {
  switch (event.event) {
    case 'gate-opened':
      return pick(event, ['mode', 'policy', 'store'])
    case 'decision-made':
      return pick(event, [
        'tool',
        'materiality',
        'surface',
        'decision',
        'enforced',
        'code',
        'receipt',
        'principal',
        'conversation',
        'trace',
        'ms',
      ])
    case 'call-settled':
      return pick(event, ['tool', 'status', 'receipt', 'decision', 'ms'])
    case 'outcome-recovered':
      return pick(event, ['status', 'receipt'])
    case 'failure-opened':
      return pick(event, ['tool', 'fault', 'receipt'])
    case 'override-used':
      return pick(event, ['override', 'tool', 'reason', 'ticket', 'use', 'most', 'receipt'])
    case 'breaker-moved':
      return pick(event, ['point', 'from', 'to', 'because'])
    case 'canary-judged':
      return pick(event, ['point', 'result', 'message'])
    case 'verdict-late':
      return pick(event, ['point', 'tool'])
    case 'answer-rejected':
      return pick(event, ['point', 'fault', 'detail'])
    case 'call-held':
      return pick(event, ['tool', 'materiality', 'waitMs'])
    case 'call-released':
      return pick(event, ['tool', 'because', 'heldMs'])
    case 'replay-detected':
      return pick(event, ['tool', 'code'])
    case 'approval-requested':
      return pick(event, ['tool', 'ref', 'requires'])
    case 'approval-answered':
      return pick(event, ['ref', 'answer', 'channel'])
    case 'receipt-failed':
      return pick(event, ['kind', 'code', 'message'])
    case 'tool-quarantined':
      return pick(event, ['server', 'tool', 'kind'])
    case 'checkpoint-signed':
      return pick(event, ['size', 'cosigned', 'witnesses'])
    case 'log-stalled':
      return pick(event, ['lacks', 'because'])
    case 'log-resumed':
      return pick(event, ['size'])
    case 'policy-misfitted':
      return { server: event.server, misfits: event.misfits.map((misfit) => pick(misfit, ['policy', 'at', 'message'])) }
    case 'programmer-warned':
      return pick(event, ['code', 'message'])
  }
}

function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>
}
