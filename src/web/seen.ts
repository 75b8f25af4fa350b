import { legible } from '../bytes/legible.ts'
import type { ApprovalAnswer, ApprovalRecord } from '../types.ts'

/** A request as whoever may see it is told of it: no signed statement, no digest of the call. */
export type SeenRequest = Omit<ApprovalRecord, 'answers' | 'requestDigest'> & {
  readonly answers: readonly Omit<ApprovalAnswer, 'statement'>[]
  /** Can this person answer it now? */
  readonly yours: boolean
  /** `previousText` with hidden characters made visible. */
  readonly previousShown?: string
}

export function asSeen(record: ApprovalRecord, yours: boolean): SeenRequest {
  const { answers, requestDigest: _, ...rest } = record
  return {
    ...rest,
    answers: answers.map(({ statement: _statement, ...said }) => said),
    yours,
    ...(record.previousText === undefined ? {} : { previousShown: legible(record.previousText) }),
  }
}
