import { useMemo, useRef } from 'react'
import type { Jwk } from '../../src/verify.ts'
import { type ChatCall, type ChatMessage, callsIn, type KnownCall } from './calls.ts'
import type { Answer } from './use-approval.ts'

/** What `useChat` of both majors returns, as far as it is used. */
export interface Chat {
  readonly messages: readonly ChatMessage[]
  readonly addToolApprovalResponse?: (response: {
    readonly id: string
    readonly approved: boolean
    readonly reason?: string
  }) => unknown
}

export interface HoldpointOptions {
  /** Public keys that receipts may be verified under. The app brings them itself; without any, nothing ever looks verified. */
  readonly trustedKeys?: readonly Jwk[]
  /** The server's time, ms since epoch, where the browser's own clock may be wrong. */
  readonly now?: () => number
}

/** The gate in one chat. */
export interface Holdpoint {
  /** In the order of the chat. */
  readonly calls: readonly ChatCall[]
  /** Those that wait for this person. */
  readonly waiting: readonly KnownCall[]
  /** The call that this `data-holdpoint` part of a message tells of; absent for any other part. */
  callOf(part: object): ChatCall | undefined
  /** The call with the host's own id. */
  callWithId(toolCallId: string): KnownCall | undefined
  /** Answers a call that waits. Once: a second answer to the same request is not sent. */
  answer(call: KnownCall, answer: Answer): unknown
  readonly trustedKeys: readonly Jwk[]
  readonly now: () => number
}

const NO_KEYS: readonly Jwk[] = []

/**
 * What the gate says in a chat, out of the messages of `useChat`.
 *
 * @example
 * const chat = useChat({ sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses })
 * const holdpoint = useHoldpoint(chat, { trustedKeys })
 */
export function useHoldpoint(chat: Chat, options: HoldpointOptions = {}): Holdpoint {
  const { messages, addToolApprovalResponse } = chat
  const calls = useMemo(() => callsIn(messages), [messages])
  const answered = useRef(new Set<string>())
  const { trustedKeys = NO_KEYS, now = Date.now } = options
  return {
    calls,
    waiting: calls.filter((call): call is KnownCall => call.kind === 'known' && call.status === 'waiting'),
    callOf: (part) => calls.find((call) => call.part === part),
    callWithId: (id) => calls.findLast((call): call is KnownCall => call.kind === 'known' && call.toolCallId === id),
    answer: async ({ approvalId }, { ref, answer, reason }) => {
      if (approvalId === undefined || addToolApprovalResponse === undefined)
        throw new Error('This chat has nothing to answer here.')
      if (answered.current.has(ref)) return
      answered.current.add(ref)
      try {
        await addToolApprovalResponse({
          id: approvalId,
          approved: answer === 'approved',
          ...(reason === undefined ? {} : { reason }),
        })
      } catch (cause) {
        answered.current.delete(ref)
        throw cause
      }
    },
    trustedKeys,
    now,
  }
}
