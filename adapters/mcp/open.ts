import { isObject, type Message, textOf } from './message.ts'
import type { Running } from './running.ts'
import type { Upstream } from './upstream.ts'

/** A request of the client's that has no answer yet. */
export type Open = Held | Sent

/** It is being decided; the server has not heard of it. */
export interface Held {
  readonly stage: 'held'
  readonly abort: AbortController
}

/** The server has it; `running` where it is a call. */
export interface Sent {
  readonly stage: 'sent'
  readonly method: string
  readonly params: Message
  readonly running?: Running
}

/**
 * The server has answered: what that says of calls, tasks and tools goes on record.
 *
 * @returns the answer with what the gate adds to it; the very object where that is nothing
 */
export function settled({ method, params, running }: Sent, message: Message, { listing, tasks }: Upstream): Message {
  const { result } = message
  if (running !== undefined) return tasks.begin(running, params, message) ?? running.answered(message)
  if (method === 'tasks/result') return tasks.end(params['taskId'])?.answered(message) ?? message
  if (!isObject(result)) return message
  switch (method) {
    case 'tools/list': {
      const page = listing.take(textOf(params['cursor']), result)
      return page === result ? message : { ...message, result: page }
    }
    case 'tasks/get':
    case 'tasks/cancel':
      tasks.heard(result)
      return message
    default:
      return message
  }
}
