import { z } from 'zod'
import type { Materiality, Refusal } from '../../src/index.ts'
import type { CallRecord } from '../shared/journal.ts'
import { FAIL_OPEN_NOTE } from '../shared/wording.ts'

/** One receipt as the person gets it: enough to verify it offline. */
export interface ReceiptPart {
  readonly id: string
  readonly kind: string
  /** JWS compact serialisation. */
  readonly jws: string
}

/** What a `data-holdpoint` part says about one tool call. It is for the person: the AI SDK never sends it to the model. */
export interface HoldpointData {
  readonly toolCallId: string
  readonly tool: string
  readonly outcome: 'permitted' | 'refused' | 'ungated'
  readonly materiality?: Materiality
  readonly refusal?: Refusal
  /** In observe mode, the refusal that would have been. */
  readonly observed?: Refusal
  /** For the person: why this call ran without a policy's answer. */
  readonly note?: string
  readonly receipts: readonly ReceiptPart[]
}

const refusalSchema = z.looseObject({
  holdpoint: z.literal('refusal/v1'),
  code: z.string(),
  message: z.string(),
  tool: z.string(),
  executed: z.literal(false),
})

/**
 * The schema of a `data-holdpoint` part, for apps that validate stored messages. An app that passes `dataSchemas` must list
 * it, or its own messages fail validation.
 *
 * @example
 * await validateUIMessages({ messages, tools, dataSchemas: { holdpoint: holdpointDataSchema } })
 */
export const holdpointDataSchema: z.ZodType<HoldpointData> = z.looseObject({
  toolCallId: z.string(),
  tool: z.string(),
  outcome: z.enum(['permitted', 'refused', 'ungated']),
  materiality: z.enum(['low', 'medium', 'high']).optional(),
  refusal: refusalSchema.optional(),
  observed: refusalSchema.optional(),
  note: z.string().optional(),
  receipts: z.array(z.looseObject({ id: z.string(), kind: z.string(), jws: z.string() })),
}) as unknown as z.ZodType<HoldpointData>

/** A `data-holdpoint` part. The same id updates the part in place, so a call has one however often it is told of. */
export interface HoldpointPart {
  readonly type: 'data-holdpoint'
  readonly id: string
  readonly data: HoldpointData
}

/** The part for one call. */
export function dataPart(record: CallRecord): HoldpointPart {
  const { callId, tool, materiality, refusal, observed, failedOpen, receipts } = record
  const data: HoldpointData = {
    toolCallId: callId,
    tool,
    outcome: refusal === undefined ? record.outcome : 'refused',
    ...(materiality === undefined ? {} : { materiality }),
    ...(refusal === undefined ? {} : { refusal }),
    ...(observed === undefined ? {} : { observed }),
    ...(failedOpen ? { note: FAIL_OPEN_NOTE } : {}),
    receipts: receipts.map(({ id, kind, jws }) => ({ id, kind, jws })),
  }
  return { type: 'data-holdpoint', id: `holdpoint-${callId}`, data }
}
