import type { ApprovalRecord, ApprovalState, Materiality, Notice, Refusal } from '../../src/index.ts'
import type { CallRecord } from './journal.ts'

/** The version of what a `data-holdpoint` part says. A reader that meets another shows that it does, and believes nothing in it. */
export const PART_VERSION = 1

/** One receipt as the person gets it: enough to verify it offline. */
export interface ReceiptPart {
  readonly id: string
  readonly kind: string
  /** JWS compact serialisation. */
  readonly jws: string
}

/** What a person is asked about a call that waits for a yes. A pointer: whether it stands, the gate's own store alone knows. */
export interface RequestPart {
  readonly ref: string
  /** `confirmation`: the principal's own yes; `approval:<role>`: another person's, in that role. */
  readonly requires: string
  /** How many persons have to say yes. */
  readonly quorum: number
  /** How many have. */
  readonly yeses?: number
  /** On whose behalf the call would be made. UNTRUSTED. */
  readonly principal?: { readonly type: string; readonly id: string; readonly tenant?: string }
  readonly state: ApprovalState
  /** `server/tool`. */
  readonly tool: string
  readonly materiality: Materiality
  /** Why it is of that materiality, with the words that this rests on. */
  readonly because: string
  /** Canonical text of exactly what would run. UNTRUSTED: a model wrote it. */
  readonly argumentsText: string
  /** The same of what this principal last approved for the tool. */
  readonly previousText?: string
  /** The whole question as text, where there is no more than a text to show. */
  readonly question?: string
  /** SHA-256 of `question`; an answer names it, so that nobody agrees to what they were not shown. */
  readonly shown?: string
  readonly createdAt: number
  readonly expiresAt: number
  /** What the person said who declined. UNTRUSTED. */
  readonly declinedBecause?: string
}

/** What a `data-holdpoint` part says about one tool call. It is for the person: the AI SDK never sends it to the model. */
export interface HoldpointData {
  readonly v: typeof PART_VERSION
  readonly toolCallId: string
  /** The tool's name in the host. */
  readonly tool: string
  readonly outcome: 'permitted' | 'refused' | 'ungated'
  readonly materiality?: Materiality
  readonly refusal?: Refusal
  /** In observe mode, the refusal that would have been. */
  readonly observed?: Refusal
  /** Set when a person could say yes. */
  readonly request?: RequestPart
  /** What the person should know of a call that ran otherwise than asked or unchecked. */
  readonly notices?: readonly Notice[]
  readonly receipts: readonly ReceiptPart[]
}

/** A `data-holdpoint` part. The same id updates the part in place, so a call has one however often it is told of. */
export interface HoldpointPart {
  readonly type: 'data-holdpoint'
  readonly id: string
  readonly data: HoldpointData
}

/** What became of one call, for the person. */
export function dataOf(record: CallRecord): HoldpointData {
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
