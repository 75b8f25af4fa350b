import {
  type Attributes,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { EventSink, GateEvent } from '../types.ts'
import { CONVERSATION, describesToolCall, ERROR_TYPE, EXECUTE_TOOL, OPERATION, TOOL_NAME } from './conventions.ts'
import { codeLabel, DECISION, MATERIALITY, RAN, STATUS } from './labels.ts'
import { OpenCalls } from './open-calls.ts'

/** Names that spans hold only when they are asked for. */
export type SpanName = 'principal' | 'conversation'

type Decided = Extract<GateEvent, { readonly event: 'decision-made' }>
type Settled = Extract<GateEvent, { readonly event: 'call-settled' }>

const LONGEST_NAME = 256
const TOOL = /^[A-Za-z0-9_.\-/]{1,192}$/
const SURFACE = /^[a-z-]{1,32}$/
const RECEIPT = /^r_[0-9a-z]{1,64}$/
const TRACE = /^[0-9a-f]{32}$/
/** Refusals of calls whose tool the gate never looked up: the name is what a model wrote. */
const BEFORE_LOOKUP: ReadonlySet<string> = new Set(['tool_unknown', 'overloaded', 'receipt_unavailable'])
/** Refusals because something is broken, which a trace shows as an error; a no is no error. */
const BROKEN: ReadonlySet<string> = new Set([
  'policy_error',
  'policy_timeout',
  'policy_unavailable',
  'policy_wrong_answer',
  'policy_stale',
  'circuit_open',
  'isolated',
  'receipt_unavailable',
  'overloaded',
])

/**
 * Draws an `admit` span for each decision and an `execute_tool` span for each call that ran. Where somebody else has drawn a span
 * for the tool call and it is active, that one gets the attributes and none is drawn.
 */
export function spanSink(tracer: Tracer, names: readonly SpanName[]): EventSink {
  const open = new OpenCalls()
  return (event) => {
    switch (event.event) {
      case 'decision-made':
        return decided(tracer, open, event, names)
      case 'failure-opened':
        open.ranOn(event.receipt, 'fail_open')
        activeToolSpan()?.setAttribute('holdpoint.basis', 'fail_open')
        return
      case 'override-used':
        open.ranOn(event.receipt, 'override')
        activeToolSpan()?.setAttribute('holdpoint.basis', 'override')
        return
      case 'call-settled':
        return settled(tracer, open, event)
    }
  }
}

function decided(tracer: Tracer, open: OpenCalls, event: Decided, names: readonly SpanName[]): void {
  const endedAt = Date.now()
  // UNTRUSTED: the name of a tool that the gate never looked up stays out.
  const isNameless = event.code !== undefined && BEFORE_LOOKUP.has(event.code) && event.surface === 'unknown'
  const tool = isNameless ? undefined : shaped(TOOL, event.tool)
  const attributes: Attributes = {
    ...toolAttributes(tool),
    'holdpoint.materiality': MATERIALITY.of(event.materiality),
    ...optional('holdpoint.surface', shaped(SURFACE, event.surface)),
    'holdpoint.decision': DECISION.of(event.decision),
    'holdpoint.code': codeLabel(event.code),
    'holdpoint.enforced': event.enforced === true,
    ...optional('holdpoint.receipt', shaped(RECEIPT, event.receipt)),
    ...optional('holdpoint.trace', shaped(TRACE, event.trace)),
    ...(names.includes('principal') ? { 'holdpoint.principal': event.principal.slice(0, LONGEST_NAME) } : {}),
    ...(names.includes('conversation') ? optional(CONVERSATION, event.conversation?.slice(0, LONGEST_NAME)) : {}),
  }
  const outer = activeToolSpan()
  outer?.setAttributes(attributes)
  const isBroken = event.code !== undefined && BROKEN.has(event.code)
  const error = isBroken ? event.code : undefined
  const admission =
    outer?.spanContext() ?? draw(tracer, named('admit', tool), { endedAt, ms: event.ms, attributes, error })
  if (event.code === undefined && event.receipt !== undefined) {
    open.permitted(event.receipt, { permittedAt: endedAt, decisionMs: event.ms, admission })
  }
}

function settled(tracer: Tracer, open: OpenCalls, event: Settled): void {
  const call = open.ended(event.decision)
  const attributes: Attributes = {
    'holdpoint.outcome': STATUS.of(event.status),
    ...optional('holdpoint.outcome_receipt', shaped(RECEIPT, event.receipt)),
  }
  const outer = activeToolSpan()
  if (outer !== undefined) {
    outer.setAttributes(attributes)
    return
  }
  if (!RAN.values.includes(event.status)) return
  const tool = shaped(TOOL, event.tool)
  draw(tracer, named(EXECUTE_TOOL, tool), {
    endedAt: Date.now(),
    ms: event.ms - (call?.decisionMs ?? 0),
    attributes: {
      [OPERATION]: EXECUTE_TOOL,
      ...toolAttributes(tool),
      ...attributes,
      ...optional('holdpoint.receipt', shaped(RECEIPT, event.decision)),
      ...optional('holdpoint.basis', call?.basis),
    },
    error: event.status === 'ok' ? undefined : event.status,
    admission: call?.admission,
  })
}

/** Draws a span that is already over, under whatever is active. An execution is linked to the span of its decision. */
function draw(
  tracer: Tracer,
  name: string,
  span: {
    readonly endedAt: number
    readonly ms: number
    readonly attributes: Attributes
    readonly error: string | undefined
    readonly admission?: SpanContext | undefined
  },
): SpanContext {
  const took = Number.isFinite(span.ms) ? Math.max(0, span.ms) : 0
  const drawn = tracer.startSpan(name, {
    kind: SpanKind.INTERNAL,
    startTime: span.endedAt - took,
    attributes: { ...span.attributes, ...optional(ERROR_TYPE, span.error) },
    ...(span.admission === undefined ? {} : { links: [{ context: span.admission }] }),
  })
  if (span.error !== undefined) drawn.setStatus({ code: SpanStatusCode.ERROR })
  drawn.end(span.endedAt)
  return drawn.spanContext()
}

/** The active span, where it is somebody's span of a tool call. The SDK shows a span's attributes; the API does not. */
function activeToolSpan(): Span | undefined {
  const span: (Span & { readonly attributes?: Attributes }) | undefined = trace.getActiveSpan()
  if (span?.isRecording() !== true || span.attributes === undefined) return undefined
  return describesToolCall(span.attributes) ? span : undefined
}

/** `shop/refund` is the tool `refund` for the conventions. */
function toolAttributes(tool: string | undefined): Attributes {
  return tool === undefined ? {} : { [TOOL_NAME]: tool.slice(tool.indexOf('/') + 1), 'holdpoint.tool': tool }
}

function named(what: string, tool: string | undefined): string {
  return tool === undefined ? what : `${what} ${tool.slice(tool.indexOf('/') + 1)}`
}

function shaped(shape: RegExp, value: string | undefined): string | undefined {
  return value !== undefined && shape.test(value) ? value : undefined
}

function optional(name: string, value: string | undefined): Attributes {
  return value === undefined ? {} : { [name]: value }
}
