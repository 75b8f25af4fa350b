import { isObject, isRequestId, keyOf, type Message, type RequestId } from '../mcp/message.ts'

/** Requests of the client that have no answer yet: whoever waits is told when none can come any more. */
export class OpenRequests {
  readonly #ids = new Map<string, RequestId>()

  get ids(): readonly RequestId[] {
    return [...this.#ids.values()]
  }

  has(id: unknown): boolean {
    return isRequestId(id) && this.#ids.has(keyOf(id))
  }

  /** What the client sent. UNTRUSTED. */
  sent(frame: unknown): void {
    if (!isObject(frame)) return
    const { id, method, params } = frame
    if (method === 'notifications/cancelled' && isObject(params)) this.#close(params['requestId'])
    if (typeof method === 'string' && isRequestId(id)) this.#ids.set(keyOf(id), id)
  }

  /** What the client is to be sent. False for an answer that nobody waits for any more. */
  answered({ id, method }: Message): boolean {
    return method !== undefined || !isRequestId(id) || this.#close(id)
  }

  #close(id: unknown): boolean {
    return isRequestId(id) && this.#ids.delete(keyOf(id))
  }
}
