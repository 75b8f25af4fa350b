import { crockford } from '../bytes/crockford.ts'
import type { ApprovalRequest, Classification, RandomBytes, Scope } from '../types.ts'
import { APPROVAL_LIFE_MS } from './approval.ts'

/** What a person is asked, bound to one digest. `text` is the exact canonical arguments that would run. */
export function newRequest(about: {
  readonly requires: string
  readonly digest: string
  readonly scope: Scope
  readonly tool: string
  readonly classification: Classification
  readonly text: string
  readonly separate: boolean
  readonly now: number
  readonly random: RandomBytes
}): ApprovalRequest {
  const { scope, classification } = about
  return {
    ref: `hp_${crockford(about.random(5))}`,
    requestDigest: about.digest,
    requires: about.requires,
    tool: about.tool,
    materiality: classification.materiality,
    principal: {
      type: scope.principal.type,
      id: scope.principal.id,
      ...(scope.principal.tenant === undefined ? {} : { tenant: scope.principal.tenant }),
    },
    ...(scope.conversation === undefined ? {} : { conversation: scope.conversation }),
    argumentsText: about.text,
    because: classification.evidence
      .filter((piece) => piece.argues === classification.materiality)
      .map((piece) => `${piece.source} ${piece.at}: ${piece.because}`)
      .slice(0, 3)
      .join('; '),
    ...(about.separate ? { separate: true } : {}),
    createdAt: about.now,
    expiresAt: about.now + APPROVAL_LIFE_MS,
  }
}
