import { isObject, type Message } from './message.ts'
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
 * @returns the answer with what the gate adds to it, the very object where that is nothing; `undefined` where nobody can say
 * what the client would read in it
 */
export function settled(sent: Sent, message: Message, { listing, tasks }: Upstream): Message | undefined {
  const { method, params, running } = sent
  const { result } = message
  if (running !== undefined) return tasks.begin(running, params, message) ?? running.answered(message)
  // An error says that there is no result for whoever asks, and not how the task ended.
  if (!isObject(result)) return message
  switch (method) {
    case 'tasks/result':
      return tasks.end(params['taskId'])?.answered(message) ?? message
    case 'tools/list': {
      const shown = listing.take(params, result)
      if (shown === undefined) return undefined
      return shown === result ? message : { ...message, result: shown }
    }
    case 'tasks/get':
    case 'tasks/cancel':
      tasks.heard(result)
      return message
    default:
      return message
  }
}
