import type { Constraint, Materiality, Refusal, RefusalCode, Remedy } from '../types.ts'
import { REFUSAL_CODES } from './codes.ts'

/** What a stage knows when a call leaves the pass. */
export interface RefusalGrounds {
  readonly code: RefusalCode
  /** `server/tool`. */
  readonly tool: string
  readonly materiality: Materiality
  /** A better sentence than the code's own: the policy's `@refusal`, or what was wrong with the arguments. */
  readonly sentence?: string | undefined
  readonly constraints?: readonly Constraint[] | undefined
  /** The approval reference, where a person can still say yes. */
  readonly ref?: string | undefined
  readonly receipt?: string | undefined
}

const MOST_CONSTRAINTS = 3

/**
 * The transparent refusal: one value that the model and the person both read.
 *
 * INVARIANT I9: it names its code, the constraint, what would satisfy it and its receipt, and nothing that unblocks itself.
 */
export function refusal(grounds: RefusalGrounds): Refusal {
  const facts = REFUSAL_CODES[grounds.code]
  return {
    holdpoint: 'refusal/v1',
    code: grounds.code,
    cause: facts.cause,
    message: grounds.sentence ?? facts.sentence.replace('{tool}', grounds.tool),
    tool: grounds.tool,
    materiality: grounds.materiality,
    executed: false,
    constraints: (grounds.constraints ?? []).slice(0, MOST_CONSTRAINTS),
    remedy: isFinal(grounds) ? { kind: 'none' } : remedyOf(facts.remedy, grounds.ref),
    retryable: facts.retryable,
    ...(grounds.receipt === undefined ? {} : { receipt: grounds.receipt }),
  }
}

function remedyOf(kind: Remedy['kind'], ref: string | undefined): Remedy {
  if (kind !== 'request_approval') return { kind }
  return ref === undefined ? { kind: 'operator' } : { kind, ref }
}

/** A policy that forbids the call whatever its arguments are: nobody is told to try others. */
function isFinal({ code, constraints = [] }: RefusalGrounds): boolean {
  return code === 'denied_by_policy' && constraints.length === 0
}
