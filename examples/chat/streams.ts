/** Answers that are being written, so that a page that was closed and opened again hears the rest of its own. */

/** One answer. It is read to its end whoever listens: what a tool did does not depend on a tab. */
class Live {
  readonly #said: Uint8Array[] = []
  readonly #listeners = new Set<ReadableStreamDefaultController<Uint8Array>>()

  async read(answer: Promise<Response>): Promise<void> {
    try {
      for await (const chunk of (await answer).body ?? []) {
        this.#said.push(chunk)
        for (const listener of this.#listeners) listener.enqueue(chunk)
      }
    } finally {
      for (const listener of this.#listeners) listener.close()
    }
  }

  /** From its beginning. */
  listen(): ReadableStream<Uint8Array> {
    let own: ReadableStreamDefaultController<Uint8Array>
    return new ReadableStream({
      start: (controller) => {
        own = controller
        for (const chunk of this.#said) controller.enqueue(chunk)
        this.#listeners.add(controller)
      },
      cancel: () => {
        this.#listeners.delete(own)
      },
    })
  }
}

/** The answers of all chats that are being written now, by chat. */
export class LiveStreams {
  readonly #live = new Map<string, Live>()

  /** The same answer, which goes on being written when nobody hears it. From here on others can join. */
  start(chat: string, answer: Promise<Response>): ReadableStream<Uint8Array> {
    const live = new Live()
    this.#live.set(chat, live)
    const ended = (): void => {
      if (this.#live.get(chat) === live) this.#live.delete(chat)
    }
    live.read(answer).then(ended, ended)
    return live.listen()
  }

  has(chat: string): boolean {
    return this.#live.has(chat)
  }

  /** What is being written in a chat, from its beginning; nothing when nothing is. */
  join(chat: string): ReadableStream<Uint8Array> | undefined {
    return this.#live.get(chat)?.listen()
  }
}
