import { isObject, isRequestId, keyOf, type Message, type RequestId } from '../mcp/message.ts'

/** A request that has no answer yet. */
interface Open {
  readonly id: RequestId
  patience?: ReturnType<typeof setTimeout>
}

/** Requests of the client that have no answer yet: whoever waits is told when none can come any more. */
export class OpenRequests {
  readonly #open = new Map<string, Open>()

  get ids(): readonly RequestId[] {
    return [...this.#open.values()].map(({ id }) => id)
  }

  /** What the client sent. UNTRUSTED. */
  sent(frame: unknown): void {
    if (!isObject(frame)) return
    const { id, method, params } = frame
    if (method === 'notifications/cancelled' && isObject(params)) this.#close(params['requestId'])
    if (typeof method !== 'string' || !isRequestId(id) || this.#open.has(keyOf(id))) return
    this.#open.set(keyOf(id), { id })
  }

  /** The server has this request now: from here on its time is counted, until it has its answer or is cancelled. */
  await(id: unknown, ms: number, late: (id: RequestId) => void): void {
    const open = isRequestId(id) ? this.#open.get(keyOf(id)) : undefined
    if (open === undefined) return
    clearTimeout(open.patience)
    open.patience = setTimeout(() => late(open.id), ms).unref()
  }

  /** What the client is to be sent. False for an answer that nobody waits for any more. */
  answered({ id, method }: Message): boolean {
    return method !== undefined || !isRequestId(id) || this.#close(id)
  }

  #close(id: unknown): boolean {
    if (!isRequestId(id)) return false
    clearTimeout(this.#open.get(keyOf(id))?.patience)
    return this.#open.delete(keyOf(id))
  }
}
