import { z } from 'zod'
import type { ApprovalRecord } from '../../src/index.ts'
import type { CallRecord } from '../shared/journal.ts'
import { type HoldpointData, type HoldpointPart, PART_VERSION, type RequestPart } from '../shared/part.ts'

const materiality = z.enum(['low', 'medium', 'high'])

const refusalSchema = z.looseObject({
  holdpoint: z.literal('refusal/v1'),
  code: z.string(),
  message: z.string(),
  tool: z.string(),
  executed: z.literal(false),
})

const requestSchema = z.looseObject({
  ref: z.string(),
  requires: z.string(),
  quorum: z.int().positive(),
  yeses: z.int().nonnegative().optional(),
  principal: z.looseObject({ type: z.string(), id: z.string(), tenant: z.string().optional() }).optional(),
  state: z.enum(['pending', 'approved', 'declined', 'spent', 'expired']),
  tool: z.string(),
  materiality,
  because: z.string(),
  argumentsText: z.string(),
  previousText: z.string().optional(),
  question: z.string().optional(),
  shown: z.string().optional(),
  createdAt: z.number(),
  expiresAt: z.number(),
  declinedBecause: z.string().optional(),
})

/** A later gate may give notices of further kinds: a sentence is one whatever its kind. */
const noticeSchema = z.looseObject({
  kind: z.string(),
  message: z.string(),
  changes: z
    .array(z.looseObject({ path: z.string(), from: z.string().optional(), to: z.string().optional() }))
    .optional(),
})

/**
 * The schema of a `data-holdpoint` part, for apps that validate stored messages. An app that passes `dataSchemas` must list
 * it, or its own messages fail validation. A part of another version than 1 fails it.
 *
 * @example
 * await validateUIMessages({ messages, tools, dataSchemas: { holdpoint: holdpointDataSchema } })
 */
export const holdpointDataSchema: z.ZodType<HoldpointData> = z.looseObject({
  v: z.literal(PART_VERSION),
  toolCallId: z.string(),
  tool: z.string(),
  outcome: z.enum(['permitted', 'refused', 'ungated']),
  materiality: materiality.optional(),
  refusal: refusalSchema.optional(),
  observed: refusalSchema.optional(),
  request: requestSchema.optional(),
  notices: z.array(noticeSchema).optional(),
  receipts: z.array(z.looseObject({ id: z.string(), kind: z.string(), jws: z.string() })),
}) as unknown as z.ZodType<HoldpointData>

/** The part for one call. */
export function dataPart(record: CallRecord): HoldpointPart {
  const { callId, tool, refusal, observed, request, notices } = record
  const data: HoldpointData = {
    v: PART_VERSION,
    toolCallId: callId,
    tool,
    outcome: refusal === undefined ? record.outcome : 'refused',
    ...(record.materiality === undefined ? {} : { materiality: record.materiality }),
    ...(refusal === undefined ? {} : { refusal }),
    ...(observed === undefined ? {} : { observed }),
    ...(request === undefined ? {} : { request: requestPart(request) }),
    ...(notices.length === 0 ? {} : { notices }),
    receipts: record.receipts.map(({ id, kind, jws }) => ({ id, kind, jws })),
  }
  return { type: 'data-holdpoint', id: `holdpoint-${callId}`, data }
}

/** Members by name, so that nothing else of a record ever leaves the server. */
function requestPart(record: ApprovalRecord): RequestPart {
  const { quorum, question, shown, previousText, answers } = record
  const { ref, requires, state, tool, materiality, principal, because, argumentsText, createdAt, expiresAt } = record
  const declinedBecause = answers.find(({ answer }) => answer === 'declined')?.reason
  return {
    ref,
    requires,
    quorum,
    yeses: answers.filter(({ answer }) => answer === 'approved').length,
    principal: {
      type: principal.type,
      id: principal.id,
      ...(principal.tenant === undefined ? {} : { tenant: principal.tenant }),
    },
    state,
    tool,
    materiality,
    because,
    argumentsText,
    ...(previousText === undefined ? {} : { previousText }),
    question,
    shown,
    createdAt,
    expiresAt,
    ...(declinedBecause === undefined ? {} : { declinedBecause }),
  }
}
