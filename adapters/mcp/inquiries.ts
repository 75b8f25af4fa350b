import { cancelled } from './answers.ts'
import { attempt } from './attempt.ts'
import { isObject, keyOf, type Message, type RequestId } from './message.ts'
import { randomId } from './random.ts'

/** Why a question of ours has no answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

/** Requests of our own to one side, under ids that nobody else can use. */
export class Inquiries {
  readonly #open = new Map<string, (response: Message) => void>()

  /**
   * Asks and waits for the result.
   *
   * @param send hands the request over
   * @throws NoAnswer after `deadlineMs`, on an abort, or where the answer is an error
   */
  async ask(
    request: { readonly method: string; readonly params: Message },
    send: (message: Message) => void | Promise<void>,
    terms: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<Message> {
    const id = `holdpoint-${randomId()}`
    const key = keyOf(id)
    const { promise, resolve, reject } = Promise.withResolvers<Message>()
    const leave = () => reject(new NoAnswer('the caller has left'))
    const timer = setTimeout(() => reject(new NoAnswer(`no answer within ${terms.deadlineMs} ms`)), terms.deadlineMs)
    terms.signal.addEventListener('abort', leave, { once: true })
    this.#open.set(key, resolve)
    try {
      if (terms.signal.aborted) leave()
      else attempt(() => send({ jsonrpc: '2.0', id, ...request })).catch(reject)
      const { result } = await promise
      if (!isObject(result)) throw new NoAnswer('the answer is an error')
      return result
    } catch (cause) {
      if (this.#open.has(key)) {
        // Whoever cannot be told that nobody waits any more finds that out; the question has no answer either way.
        await attempt(() => send(cancelled(id))).catch(() => undefined)
      }
      throw cause
    } finally {
      this.#open.delete(key)
      clearTimeout(timer)
      terms.signal.removeEventListener('abort', leave)
    }
  }

  /** Is this the answer to a question of ours? Then it goes no further. */
  take(id: RequestId, response: Message): boolean {
    const key = keyOf(id)
    const settle = this.#open.get(key)
    this.#open.delete(key)
    settle?.(response)
    return settle !== undefined
  }
}
