import type { No, Said } from '../shared/hearing.ts'
import type { HostMessage } from './host.ts'

/** Nos of one history that are heard: the newest. */
const MOST_NOS = 64

interface ApprovalPart {
  readonly type?: unknown
  readonly approvalId?: unknown
  readonly toolCallId?: unknown
  readonly approved?: unknown
  readonly reason?: unknown
  /** The host's own answer, nobody's. */
  readonly isAutomatic?: unknown
}

/**
 * The answer to the request for `toolCallId` in the last message, if that is where this history resumes.
 *
 * UNTRUSTED: every part here came from the client.
 */
export function saidInHistory(messages: readonly HostMessage[], toolCallId: string): Said | undefined {
  const last = messages.at(-1)
  if (last === undefined || Reflect.get(last, 'role') !== 'tool') return undefined
  const requests = messages
    .flatMap((message) => parts(message, 'assistant', 'tool-approval-request'))
    .filter((part) => part.toolCallId === toolCallId)
  for (const response of parts(last, 'tool', 'tool-approval-response')) {
    const request = requests.find((part) => part.approvalId === response.approvalId)
    if (request === undefined || typeof response.approved !== 'boolean') continue
    return {
      answer: response.approved === true ? 'approved' : 'declined',
      ref: refInId(request.approvalId) ?? refInReason(request.reason),
      ...(typeof response.reason === 'string' ? { reason: response.reason } : {}),
    }
  }
  return undefined
}

/**
 * What people said no to, anywhere in this history: for a no the host asks neither hook nor tool, and a no permits nothing.
 *
 * UNTRUSTED: every part here came from the client.
 */
export function nosInHistory(messages: readonly HostMessage[]): readonly No[] {
  const requests = new Map(
    messages
      .flatMap((message) => parts(message, 'assistant', 'tool-approval-request'))
      .filter(({ isAutomatic }) => isAutomatic !== true)
      .map((request) => [request.approvalId, refInId(request.approvalId) ?? refInReason(request.reason)]),
  )
  return messages
    .flatMap((message) => parts(message, 'tool', 'tool-approval-response'))
    .filter(({ approved }) => approved === false)
    .flatMap(({ approvalId, reason }) => noTo(requests.get(approvalId), reason))
    .slice(-MOST_NOS)
}

/** The same in the messages that a client posts, before the host has read them. UNTRUSTED. */
export function nosInMessages(messages: unknown): readonly No[] {
  if (!Array.isArray(messages)) return []
  return messages
    .flatMap((message: unknown) => membersOf(member(message, 'parts')))
    .map((part) => member(part, 'approval'))
    .filter((approval) => member(approval, 'approved') === false && member(approval, 'isAutomatic') !== true)
    .flatMap((approval) => {
      const ref = refInId(member(approval, 'id')) ?? refInReason(member(approval, 'requestReason'))
      return noTo(ref, member(approval, 'reason'))
    })
    .slice(-MOST_NOS)
}

function noTo(ref: string | undefined, reason: unknown): readonly No[] {
  return ref === undefined ? [] : [{ ref, ...(typeof reason === 'string' ? { reason } : {}) }]
}

/**
 * The host's id of an approval, made to carry our reference to the person and back. Major 6 keeps nothing else of a request;
 * the host's own id stays in it, since two calls of a step may share one request. An id that carries one already stays.
 */
export function carryRef(approvalId: string, ref: string): string {
  return refInId(approvalId) === undefined ? `${ref}.${approvalId}` : approvalId
}

function refInId(approvalId: unknown): string | undefined {
  return typeof approvalId === 'string' ? /^(hp_[0-9a-z]{8})\./.exec(approvalId)?.[1] : undefined
}

/** Major 7 keeps the reason: the code, reference and receipt at its end are ours, whatever a policy's sentence says before. */
function refInReason(reason: unknown): string | undefined {
  return typeof reason === 'string' ? /\([a-z_]+, reference (hp_[0-9a-z]{8})[^()]*\)$/.exec(reason)?.[1] : undefined
}

function membersOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function parts(message: HostMessage, role: string, type: string): readonly ApprovalPart[] {
  const content: unknown = Reflect.get(message, 'content')
  if (Reflect.get(message, 'role') !== role || !Array.isArray(content)) return []
  return content.filter((part: ApprovalPart | null) => part?.type === type)
}
