import { canonicalText, type Limits } from '../bytes/canonical.ts'
import type { Json } from '../types.ts'

/** One question to a policy service. */
export interface Question {
  /** Path and query below the service's address: `/access/v1/evaluation`. */
  readonly path: string
  /** Writes the JSON that is posted, for this request's id. Without it, the question is a GET. */
  readonly write?: (requestId: string) => string
  /** Is a 500 an answer too, that tells how the policies erred? */
  readonly hearsErrors?: true
  /** How many questions it asks together. Default 1. */
  readonly questions?: number
}

/** What a policy service said: JSON that was read strictly, and the id that its request had. */
export interface Answered {
  readonly status: 200 | 500
  readonly json: Json
  readonly requestId: string
}

/**
 * A policy service that is elsewhere. How bytes travel is the business of the room `wire`; the dialects in this room know paths,
 * bodies and meanings.
 */
export interface PolicyService {
  /**
   * Asks once, under a fresh random request id.
   *
   * @throws AbsentAnswer when no answer came
   * @throws TooMuchAtOnce when several questions were too much for the service
   * @throws WrongAnswer when what came is not a strict JSON reply to this very request
   */
  ask(question: Question, signal: AbortSignal): Promise<Answered>
}

/** Arguments were bounded when the call was taken, by limits that the operator may raise: here they only travel. */
const UNBOUNDED: Limits = { maxDepth: 1_024, maxNodes: Number.MAX_SAFE_INTEGER, maxBytes: Number.MAX_SAFE_INTEGER }

/** The canonical text (RFC 8785) of what is sent: every policy service gets the same bytes for the same request. */
export function wireText(value: unknown): string {
  return canonicalText(value, UNBOUNDED)
}
