import type { ApprovalRecord } from '../../src/index.ts'
import { isObject, type Message } from './message.ts'

/** More than so many characters are no question that a person reads in a form. */
const LONGEST_QUESTION = 4_600

/** What a person said to a question. No word, a closed window, a form that makes no sense: none of them is a yes. */
export type Reply = 'approved' | 'declined' | 'unanswered'

/**
 * The form that asks for a person's yes (MCP elicitation, form mode); none where the call is too long to be shown whole, or is
 * not the principal's own to confirm.
 *
 * The box is not ticked beforehand: a client that accepts forms as they come says no.
 */
export function questionFor(request: ApprovalRecord): Message | undefined {
  if (request.requires !== 'confirmation' || request.separate === true || request.passkey === true) return undefined
  if (request.question.length > LONGEST_QUESTION) return undefined
  const message = `${request.question}\n\nReference ${request.ref}.`
  const approve = { type: 'boolean', title: 'Run exactly this call, once', default: false }
  return { message, requestedSchema: { type: 'object', properties: { approve }, required: ['approve'] } }
}

/** Reads the client's answer. UNTRUSTED: it is the client that says what a person said. */
export function replyIn(answer: unknown): Reply {
  if (!isObject(answer)) return 'unanswered'
  const { action, content } = answer
  if (action === 'decline') return 'declined'
  if (action !== 'accept' || !isObject(content)) return 'unanswered'
  // INVARIANT I4: only the literal yes.
  return content['approve'] === true ? 'approved' : 'declined'
}
