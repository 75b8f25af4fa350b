import { derive } from '../../src/call/derived.ts'
import { readAnswer } from '../../src/decide/answer.ts'
import { createCedarPoint } from '../../src/policy/cedar.ts'
import {
  type ApprovalFacts,
  type Decision,
  type EvaluationRequest,
  type Json,
  type JsonObject,
  type JsonSchema,
  type Materiality,
  NO_SESSION,
  type PolicyDecisionPoint,
  type SessionFacts,
  type Surface,
} from '../../src/types.ts'

/** What a test says of a call; everything else has a plain default. */
export interface Told {
  readonly type?: 'user' | 'agent'
  readonly user?: string
  readonly roles?: readonly string[]
  readonly tenant?: string
  readonly tool?: string
  readonly materiality?: Materiality
  readonly surface?: Surface
  readonly arguments?: Json
  readonly environment?: JsonObject
  readonly session?: Partial<SessionFacts>
  readonly approval?: ApprovalFacts
  readonly agent?: string
}

/** The evaluation request of a call, as the gate would build it. */
export function evaluationRequest(told: Told = {}): EvaluationRequest {
  const tool = told.tool ?? 'shop/refund'
  const input = told.arguments ?? {}
  return {
    subject: {
      type: told.type ?? 'user',
      id: told.user ?? 'alice',
      properties: { roles: told.roles ?? [], ...(told.tenant === undefined ? {} : { tenant: told.tenant }) },
    },
    action: { name: 'tools/call' },
    resource: {
      type: 'tool',
      id: tool,
      properties: {
        materiality: told.materiality ?? 'high',
        surface: told.surface ?? 'financial',
        server: tool.slice(0, tool.indexOf('/')),
        definition: 'definition-digest',
      },
    },
    context: {
      arguments: input,
      ...derive(input),
      environment: told.environment ?? {},
      session: { ...NO_SESSION, ...told.session },
      approval: told.approval ?? { confirmed: false, roles: [] },
      ...(told.agent === undefined ? {} : { agent: told.agent }),
    },
  }
}

/** A Cedar point of one text. */
export function pointOf(text: string, path = 'test.cedar'): PolicyDecisionPoint {
  return createCedarPoint([{ path, text }])
}

/** What the policies say of a call, read as the gate reads it. Throws what the point throws. */
export function decide(policies: string | PolicyDecisionPoint, told: Told = {}, schema?: JsonSchema): Decision {
  const point = typeof policies === 'string' ? pointOf(policies) : policies
  return readAnswer(point.evaluate(evaluationRequest(told), { signal: new AbortController().signal, schema }))
}
