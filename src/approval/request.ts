import { crockford } from '../bytes/crockford.ts'
import { sha256 } from '../bytes/digest.ts'
import type { ApprovalRequest, Classification, Evidence, RandomBytes, Scope } from '../types.ts'
import { APPROVAL_LIFE_MS } from './approval.ts'
import { questionText } from './question.ts'

/** What a person is asked, bound to one digest. `text` is the exact canonical arguments that would run. */
export function newRequest(about: {
  readonly requires: string
  readonly quorum: number
  readonly digest: string
  readonly scope: Scope
  readonly tool: string
  readonly classification: Classification
  readonly text: string
  readonly after: string | undefined
  readonly separate: boolean
  readonly passkey: boolean
  readonly now: number
  readonly random: RandomBytes
}): ApprovalRequest {
  const { scope, classification } = about
  const asked = {
    requires: about.requires,
    quorum: about.quorum,
    tool: about.tool,
    materiality: classification.materiality,
    principal: {
      type: scope.principal.type,
      id: scope.principal.id,
      ...(scope.principal.tenant === undefined ? {} : { tenant: scope.principal.tenant }),
    },
    argumentsText: about.text,
    because: classification.evidence
      .filter((piece) => piece.argues === classification.materiality)
      .map(reasonOf)
      .slice(0, 3)
      .join('; '),
  } as const
  const question = questionText(asked)
  return {
    ref: `hp_${crockford(about.random(5))}`,
    requestDigest: about.digest,
    ...asked,
    ...(scope.conversation === undefined ? {} : { conversation: scope.conversation }),
    ...(about.after === undefined ? {} : { after: about.after }),
    question,
    shown: sha256(question),
    ...(about.separate ? { separate: true } : {}),
    ...(about.passkey ? { passkey: true } : {}),
    createdAt: about.now,
    expiresAt: about.now + APPROVAL_LIFE_MS,
  }
}

function reasonOf({ source, at, because }: Evidence): string {
  return source === 'operator' ? `${because} (${at})` : `${source} ${at}: ${because}`
}
