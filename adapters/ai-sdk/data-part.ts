import { z } from 'zod'
import type { CallRecord } from '../shared/journal.ts'
import { dataOf, type HoldpointData, type HoldpointPart, PART_VERSION } from '../shared/part.ts'

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
  return { type: 'data-holdpoint', id: `holdpoint-${record.callId}`, data: dataOf(record) }
}
