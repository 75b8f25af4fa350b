import { brief } from '../bytes/legible.ts'
import { personKey } from '../bytes/person.ts'
import { roleIn } from '../bytes/requirement.ts'
import type { Answered, ApprovalAnswer, ApprovalRecord, Scope } from '../types.ts'
import { isElsewhere } from './approval.ts'

/** Why an answer is none. */
export type Objection = Extract<Answered, { readonly outcome: 'refused' }>

/** How somebody answers, with everything that was left open filled in. */
export type Answering = Pick<ApprovalAnswer, 'answer' | 'by' | 'channel'> & {
  readonly shown: string | undefined
  /** It comes with an assertion of a passkey, which is still to be checked. */
  readonly isSigned?: true
}

/**
 * Why this person, here, is not the one to answer; `undefined` where they are.
 *
 * INVARIANT I4: a confirmation is the principal's own; a role's yes is another person's, of the same tenant, who has that role by
 * the word of the host that signed them in. Never an agent's, never the principal's.
 */
export function notTheirs(record: ApprovalRecord, scope: Scope, answering: Answering): Objection | undefined {
  if (!maySee(record, scope)) return notFound(record.ref)
  const role = roleIn(record.requires)
  const objection = role === undefined ? notConfirmable(record, scope, answering) : notInRole(record, scope, answering)
  if (objection !== undefined) return objection
  const { answer, channel, isSigned } = answering
  if (channel === 'webauthn' && isSigned !== true)
    return refused('approver_not_separate', 'A signature of a person’s own is shown, never claimed.')
  // A no needs less: whoever could say yes may say it without their passkey.
  if (record.passkey === true && answer === 'approved' && channel !== 'webauthn')
    return refused(
      'approver_not_separate',
      'A yes to this call has to be signed by your own passkey: give it on the page of approvals.',
    )
  if (record.separate === true && !isElsewhere(channel))
    return refused(
      'approver_not_separate',
      'A tool of this agent runs code under this account: answer where you are signed in, in the app.',
    )
  return undefined
}

/** Why the answer does not go with the request as it stands; `undefined` where it does. */
export function notAsked(record: ApprovalRecord, { answer, by, channel, shown }: Answering): Objection | undefined {
  if (shown === undefined && isPage(channel))
    return refused('approval_mismatch', 'The answer does not say what was shown.')
  // INVARIANT I3: a yes is to what was before the person's eyes.
  if (shown !== undefined && shown !== record.shown)
    return refused('approval_mismatch', 'What was shown is not what this request asks: look at it again.')
  if (record.state === 'approved' && answer === 'declined') return undefined
  if (record.state !== 'pending') return closed(record)
  if (answer === 'approved' && record.answers.some((earlier) => personKey(earlier.by) === personKey(by)))
    return refused('approval_mismatch', 'You have said yes already; the others must be other persons.')
  return undefined
}

/** Whoever asks for it, or could be asked: its own principal, and whoever of the same tenant has the role. */
export function maySee({ principal, requires }: ApprovalRecord, { principal: viewer, agent }: Scope): boolean {
  if (principal.tenant !== viewer.tenant) return false
  if (principal.type === viewer.type && principal.id === viewer.id) return true
  const role = roleIn(requires)
  return role !== undefined && viewer.type === 'user' && agent === undefined && viewer.roles.includes(role)
}

/** No request, or none that is for these eyes: one answer for both. */
export function notFound(ref: string): Objection {
  return refused('approval_mismatch', `There is no request ${brief(ref, 32)} that is yours to answer.`)
}

/** It takes no answer any more. */
export function closed({ state, answers }: Pick<ApprovalRecord, 'state' | 'answers'>): Objection {
  switch (state) {
    case 'declined':
      return refused('approval_declined', `It was declined by ${brief(answers.at(-1)?.by ?? 'somebody')}.`)
    case 'expired':
      return refused(
        'approval_expired',
        'It ran out before it was answered and used. If it is asked again, look again.',
      )
    case 'spent':
      return refused('already_executed', 'It was approved and used: the call may run once, and that once was taken.')
    case 'approved':
      return refused('approval_mismatch', 'It has all the yeses that it needs.')
    case 'pending':
      return refused('approval_mismatch', 'It was answered otherwise meanwhile: look at it again.')
  }
}

function notConfirmable({ principal, conversation }: ApprovalRecord, scope: Scope, { channel }: Answering) {
  const { principal: answerer } = scope
  // A page is apart from every conversation, and must say what it showed.
  const isHere = conversation === scope.conversation || (isPage(channel) && scope.conversation === undefined)
  if (principal.type !== answerer.type || principal.id !== answerer.id || !isHere)
    return refused('approval_mismatch', 'It was asked of somebody else, or in another conversation.')
  // A chat's view names the agent that it talks to; a page has nobody but its reader, so whoever acts for them there is no person.
  if (channel === 'page' && scope.agent !== undefined)
    return refused('approver_not_separate', 'An agent approves nothing, for whomever it acts.')
  if (isElsewhere(channel) && (answerer.basis !== 'stated' || answerer.type !== 'user'))
    return refused('approver_not_separate', 'Nobody is signed in here: a confirmation is a person’s own yes.')
  // A form has somebody in front of it only where somebody is named.
  if (channel === 'elicitation' && answerer.basis === 'default')
    return refused('approver_not_separate', 'Nobody is named who could have answered the form.')
  return undefined
}

/** Where a page showed what is asked, apart from every conversation. */
function isPage(channel: Answering['channel']): boolean {
  return channel === 'page' || channel === 'webauthn'
}

function notInRole({ principal, requires }: ApprovalRecord, scope: Scope, { by, channel }: Answering) {
  const { principal: answerer, agent } = scope
  const role = roleIn(requires) ?? ''
  if (answerer.type !== 'user' || agent !== undefined)
    return refused('approver_not_separate', 'An agent approves nothing.')
  if (principal.type === 'user' && personKey(principal.id) === personKey(answerer.id))
    return refused('approver_not_separate', 'It is your own call: another person has to approve it.')
  if (answerer.basis !== 'stated' || channel === 'terminal' || channel === 'elicitation')
    return refused(
      'approver_not_separate',
      'An approval needs somebody who is signed in: whoever has this OS account can claim any role.',
    )
  if (by !== answerer.id) return refused('approval_mismatch', 'In a role, everybody answers for themselves.')
  if (!answerer.roles.includes(role))
    return refused('approval_mismatch', `It takes somebody in the role ${brief(role)}.`)
  return undefined
}

/** Is it still one that this person could answer? */
export function isOpenFor(record: ApprovalRecord, scope: Scope): boolean {
  const { id } = scope.principal
  const how =
    record.passkey === true ? ({ channel: 'webauthn', isSigned: true } as const) : { channel: channelOf(scope) }
  const asked: Answering = { answer: 'approved', by: id, ...how, shown: record.shown }
  return notTheirs(record, scope, asked) === undefined && notAsked(record, asked) === undefined
}

/** Whoever has no conversation looks at a page. */
export function channelOf({ channel, conversation }: Scope): Scope['channel'] {
  return channel === 'none' && conversation === undefined ? 'page' : channel
}

function refused(code: Objection['code'], message: string): Objection {
  return { outcome: 'refused', code, message }
}
