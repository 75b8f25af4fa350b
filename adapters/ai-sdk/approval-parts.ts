import type { Said } from '../shared/hearing.ts'
import type { HostMessage } from './host.ts'

interface ApprovalPart {
  readonly type?: unknown
  readonly approvalId?: unknown
  readonly toolCallId?: unknown
  readonly approved?: unknown
  readonly reason?: unknown
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

function parts(message: HostMessage, role: string, type: string): readonly ApprovalPart[] {
  const content: unknown = Reflect.get(message, 'content')
  if (Reflect.get(message, 'role') !== role || !Array.isArray(content)) return []
  return content.filter((part: ApprovalPart | null) => part?.type === type)
}
