import type { ApprovalRecord, Json } from '../../src/index.ts'
import { member } from '../shared/declared.ts'
import { type RequestPart, requestPart } from '../shared/part.ts'

/** What a graph pauses with: the shape of LangChain's own human-in-the-loop middleware, so that front ends know it. */
export interface Question {
  readonly actionRequests: readonly [
    {
      readonly name: string
      /** Exactly what would run. UNTRUSTED: a model wrote it. */
      readonly args: Json
      /** The whole question, as text. */
      readonly description: string
    },
  ]
  readonly reviewConfigs: readonly [
    { readonly actionName: string; readonly allowedDecisions: readonly ['approve', 'reject'] },
  ]
  /** What holdpoint's own front ends show. A pointer: the gate's store alone knows whether the request stands. */
  readonly holdpoint: RequestPart
}

/** A person's decision. */
export interface Decision {
  readonly answer: 'approved' | 'declined'
  readonly reason?: string
}

/** The question for one request. */
export function questionOf(name: string, request: ApprovalRecord): Question {
  return {
    actionRequests: [
      { name, args: JSON.parse(request.argumentsText) as Json, description: request.question ?? request.because },
    ],
    reviewConfigs: [{ actionName: name, allowedDecisions: ['approve', 'reject'] }],
    holdpoint: requestPart(request),
  }
}

/**
 * Reads what a graph was resumed with; undefined for anything but one plain yes or no.
 *
 * UNTRUSTED: a client sent it. INVARIANT I3: an `edit` is no yes, neither to the old arguments nor to the new ones.
 */
export function decisionIn(answer: unknown): Decision | undefined {
  const decisions = member(answer, 'decisions')
  if (!Array.isArray(decisions) || decisions.length !== 1) return undefined
  const [decision] = decisions
  switch (member(decision, 'type')) {
    case 'approve':
      return { answer: 'approved' }
    case 'reject': {
      const reason = member(decision, 'message')
      return { answer: 'declined', ...(typeof reason === 'string' ? { reason } : {}) }
    }
    default:
      return undefined
  }
}
