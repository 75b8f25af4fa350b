import { legible } from '../bytes/legible.ts'
import type { ApprovalAnswer, ApprovalRecord } from '../types.ts'

/** A request as whoever may see it is told of it: no signed statement; the digest of the call where they could sign it. */
export type SeenRequest = Omit<ApprovalRecord, 'answers' | 'requestDigest'> & {
  readonly answers: readonly Omit<ApprovalAnswer, 'statement'>[]
  /** Can this person answer it now? */
  readonly yours: boolean
  /** `previousText` with hidden characters made visible. */
  readonly previousShown?: string
  /** The request digest, for whoever can answer with a passkey: it is signed too. */
  readonly req?: string
}

export function asSeen(record: ApprovalRecord, yours: boolean, canSign: boolean): SeenRequest {
  const { answers, requestDigest, ...rest } = record
  return {
    ...rest,
    answers: answers.map(({ statement: _statement, ...said }) => said),
    yours,
    ...(yours && canSign ? { req: requestDigest } : {}),
    ...(record.previousText === undefined ? {} : { previousShown: legible(record.previousText) }),
  }
}
