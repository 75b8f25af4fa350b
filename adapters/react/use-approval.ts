import { useCallback, useEffect, useRef, useState } from 'react'
import type { RequestPart } from '../shared/part.ts'

/** A person's answer to one request. A pointer: the gate's own store says whether it counts. */
export interface Answer {
  readonly ref: string
  readonly answer: 'approved' | 'declined'
  readonly reason?: string
  /** Digest of the question that the person was shown, where the request has one. */
  readonly shown?: string
}

/** Sends an answer: through the chat, or to the app's own endpoint. What it throws is shown. */
export type SendAnswer = (answer: Answer) => unknown

export type ApprovalState =
  | { readonly state: 'open' }
  /** It is under way. */
  | { readonly state: 'sending'; readonly answer: Answer['answer'] }
  /** It was sent. Whether it counts, the gate says. */
  | { readonly state: 'sent'; readonly answer: Answer['answer'] }
  /** It could not be sent, and may be sent again. */
  | { readonly state: 'failed'; readonly answer: Answer['answer']; readonly why: string }
  | { readonly state: 'expired' }

export interface Approval {
  readonly approval: ApprovalState
  /** Time that is left for an answer, ms. */
  readonly remainingMs: number
  readonly approve: (reason?: string) => void
  readonly decline: (reason?: string) => void
}

/**
 * One request and this person's answer to it. However often a button is pressed, one answer is sent.
 *
 * @param now the time by which the request runs out, ms since epoch; the browser's own clock where it is left out
 */
export function useApproval(request: RequestPart, send: SendAnswer, now: () => number = Date.now): Approval {
  const [answered, setAnswered] = useState<{ readonly ref: string; readonly approval: ApprovalState }>()
  // Two clicks arrive before React has drawn anything.
  const busy = useRef<string>(undefined)
  const remainingMs = useRemaining(request.expiresAt, now)
  const approval: ApprovalState =
    answered?.ref === request.ref ? answered.approval : remainingMs > 0 ? { state: 'open' } : { state: 'expired' }

  const answer = async (answer: Answer['answer'], reason: string | undefined) => {
    const { ref, shown, expiresAt } = request
    if (busy.current === ref || now() >= expiresAt) return
    busy.current = ref
    const say = (approval: ApprovalState) => setAnswered({ ref, approval })
    say({ state: 'sending', answer })
    const said = reason?.trim()
    try {
      await send({
        ref,
        answer,
        ...(said === undefined || said === '' ? {} : { reason: said }),
        ...(shown === undefined ? {} : { shown }),
      })
      say({ state: 'sent', answer })
    } catch (cause) {
      busy.current = undefined
      say({ state: 'failed', answer, why: cause instanceof Error ? cause.message : 'it could not be sent' })
    }
  }
  return {
    approval,
    remainingMs,
    approve: (reason) => void answer('approved', reason),
    decline: (reason) => void answer('declined', reason),
  }
}

/** Counts down by the second, and stands still at nothing. */
function useRemaining(expiresAt: number, now: () => number): number {
  const read = useCallback(() => Math.max(0, expiresAt - now()), [expiresAt, now])
  const [, tick] = useState(0)
  const remaining = read()
  useEffect(() => {
    if (read() === 0) return
    const timer = setInterval(() => {
      tick((count) => count + 1)
      if (read() === 0) clearInterval(timer)
    }, 1_000)
    return () => clearInterval(timer)
  }, [read])
  return remaining
}

/**
 * Sends answers to the app's endpoint, where `approvalHandler` of `holdpoint` takes them: for another person's approval, on a page of
 * their own.
 *
 * @throws Error with the gate's sentence when the answer does not count
 */
export function postAnswer(url: string): SendAnswer {
  return async (answer) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(answer),
      credentials: 'same-origin',
    })
    const said: unknown = await response.json().catch(() => undefined)
    const told = typeof said === 'object' && said !== null ? said : {}
    // A page to sign in on answers 200 as well, at the end of a redirect, and has recorded nothing.
    if (response.ok && Reflect.get(told, 'outcome') === 'recorded') return
    const message: unknown = Reflect.get(told, 'message')
    throw new Error(
      typeof message === 'string' ? message : `the server answered ${response.status}, and not that it was recorded`,
    )
  }
}
