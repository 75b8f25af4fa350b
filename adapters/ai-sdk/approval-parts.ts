import type { HostMessage } from './host.ts'

/** What a resuming history says about one call. A pointer: only our own store knows whether such a request exists. */
export interface SaidInHistory {
  readonly answer: 'approved' | 'declined'
  /** The host's id of the approval. */
  readonly approvalId: string
  /** The reference that was shown with the request, where the host kept it (major 7 does). */
  readonly ref: string | undefined
}

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
export function saidInHistory(messages: readonly HostMessage[], toolCallId: string): SaidInHistory | undefined {
  const last = messages.at(-1)
  if (last === undefined || Reflect.get(last, 'role') !== 'tool') return undefined
  const requests = messages
    .flatMap((message) => parts(message, 'assistant', 'tool-approval-request'))
    .filter((part) => part.toolCallId === toolCallId)
  for (const response of parts(last, 'tool', 'tool-approval-response')) {
    const request = requests.find((part) => part.approvalId === response.approvalId)
    if (request === undefined || typeof response.approved !== 'boolean' || typeof request.approvalId !== 'string')
      continue
    return {
      answer: response.approved === true ? 'approved' : 'declined',
      approvalId: request.approvalId,
      ref: referenceIn(request.reason),
    }
  }
  return undefined
}

function parts(message: HostMessage, role: string, type: string): readonly ApprovalPart[] {
  const content: unknown = Reflect.get(message, 'content')
  if (Reflect.get(message, 'role') !== role || !Array.isArray(content)) return []
  return content.filter((part: ApprovalPart | null) => part?.type === type)
}

function referenceIn(reason: unknown): string | undefined {
  return typeof reason === 'string' ? /\bhp_[0-9a-z]+\b/.exec(reason)?.[0] : undefined
}
