import type { ApprovalRecord, Gate } from '../../src/index.ts'
import { type CallRecord, journalOf } from './journal.ts'
import { type HoldpointData, PART_VERSION, type RequestPart } from './part.ts'

/** What became of one call, for whoever shows or stores it: receipts and all, so never for the model. */
export function callData(record: CallRecord): HoldpointData {
  const { callId, tool, refusal, observed, request, notices } = record
  return {
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
}

/**
 * The side channel of hosts whose messages have no place for a receipt: what became of a call, by the host's own id of it. Of an id
 * that came up again, the newest call; the newest 1000 are remembered.
 *
 * @param gate the gate or view that the tools were guarded with
 */
export function reportOf(gate: Gate, callId: string): HoldpointData | undefined {
  const record = journalOf(gate).find(callId)
  return record === undefined ? undefined : callData(record)
}

/** Members by name, so that nothing else of a record ever leaves the server. */
export function requestPart(record: ApprovalRecord): RequestPart {
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
