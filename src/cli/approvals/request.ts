/** One request, as commands find it, write it, and ask whether it could be answered from a terminal. */
import { notAsked, notTheirs, type Objection } from '../../approval/entitled.ts'
import { roleIn } from '../../bytes/requirement.ts'
import type { ApprovalRecord, Scope } from '../../types.ts'
import { UnusableInput } from '../exit.ts'

/** @throws UnusableInput for what is no reference */
export function checkReference(ref: string): void {
  if (!/^hp_[0-9a-z]{8}$/.test(ref)) throw new UnusableInput(`"${ref}" is not a reference (hp_ and eight characters)`)
}

/**
 * Why nobody at this terminal can give this answer; `undefined` where they can. The core decides.
 *
 * INVARIANT I4: a terminal is whoever has this OS account. It can claim to be the principal of a confirmation, as in `watch`;
 * a role it cannot claim.
 */
export function objectionHere(
  record: ApprovalRecord,
  by: string,
  answer: 'approved' | 'declined',
  shown: string | undefined,
): Objection | undefined {
  const answering = { answer, by, channel: 'terminal', shown } as const
  return notTheirs(record, scopeHere(record, by), answering) ?? notAsked(record, answering)
}

/** The request as data: nothing of it is a signature. */
export function asJson(record: ApprovalRecord, by: string): object {
  const { answers, requestDigest, ...rest } = record
  return {
    ...rest,
    request: requestDigest,
    answers: answers.map(({ statement: _, ...said }) => said),
    answerableHere: objectionHere(record, by, 'approved', record.shown) === undefined,
  }
}

function scopeHere({ principal, conversation, requires }: ApprovalRecord, by: string): Scope {
  const role = roleIn(requires)
  const { type, id, tenant } = principal
  const who = role === undefined ? { type: type === 'agent' ? type : 'user', id } : { type: 'user', id: by }
  return {
    principal: {
      ...(who as { readonly type: 'user' | 'agent'; readonly id: string }),
      roles: role === undefined ? [] : [role],
      ...(tenant === undefined ? {} : { tenant }),
      basis: 'os-user',
    },
    ...(conversation === undefined ? {} : { conversation }),
    trace: '',
    environment: {},
    channel: 'terminal',
  }
}
