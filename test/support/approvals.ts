import { signedAnswer } from '../../src/answer.ts'
import { questionText } from '../../src/approval/question.ts'
import { randomBytes, sha256 } from '../../src/bytes/digest.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import type { Answered, ApprovalAnswer, ApprovalRecord, ApprovalRequest } from '../../src/types.ts'

/** Signs the answers that tests write into a store without a gate. */
export const approver = generateSigner()

/** A request as the gate makes one, its question and digest worked out of the rest. */
export function requestWith(
  changes: Partial<Omit<ApprovalRequest, 'question' | 'shown'>> & Pick<ApprovalRequest, 'createdAt'>,
): ApprovalRequest {
  const asked = {
    ref: 'hp_1',
    requestDigest: sha256('a digest'),
    requires: 'confirmation',
    quorum: 1,
    tool: 'shop/refund',
    materiality: 'high',
    principal: { type: 'user', id: 'alice' },
    argumentsText: '{}',
    because: '',
    expiresAt: changes.createdAt + 60_000,
    ...changes,
  } as const
  const question = questionText(asked)
  return { ...asked, question, shown: sha256(question) }
}

/** The same as a store gives it, before anybody answered. */
export function pendingWith(changes: Parameters<typeof requestWith>[0]): ApprovalRecord {
  return { ...requestWith(changes), state: 'pending', answers: [] }
}

/** An answer as a store is given it. */
export function answerBy(by: string, changes: Partial<ApprovalAnswer> = {}): ApprovalAnswer {
  return { answer: 'approved', by, channel: 'terminal', at: 1, shown: 'shown', statement: 'a.b.c', ...changes }
}

/** The same, with the word of a gate for it. */
export function sealedBy(by: string, record: ApprovalRecord, changes: Partial<ApprovalAnswer> = {}): ApprovalAnswer {
  const { answer = 'approved', channel = 'chat', at = record.createdAt, reason } = changes
  return signedAnswer(approver, record, { answer, by, channel, at, reason }, randomBytes)
}

/** `recorded`, or the code of the refusal. */
export function said(answered: Answered): string {
  return answered.outcome === 'recorded' ? answered.outcome : answered.code
}
