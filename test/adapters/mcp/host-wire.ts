/** The host's end of a connection, between its SDK and whatever stands there: calls bear the ids that the model gave them. */

/** Beside a call: the model's own id of it. Goes no further than the wire. */
export const CALL_ID = 'host.test/call-id'

/** A frame, as it is on the wire. */
export interface Frame {
  readonly jsonrpc: '2.0'
  readonly id?: string | number | null
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number; readonly message: string }
}

/** A transport of either SDK. */
export interface Carrier {
  onmessage?: ((message: never, extra?: unknown) => void) | undefined
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  start(): Promise<void>
  send(message: never, options?: never): Promise<void>
  close(): Promise<void>
}

const OURS: ReadonlySet<string | symbol> = new Set(['onmessage', 'onclose', 'onerror', 'start', 'send', 'close'])

/**
 * What an SDK is given in the place of its transport. An SDK numbers its requests itself; a model names its calls, and may name two
 * alike. Keeps the frames that went by, so that a test can send the very same ones again.
 */
export class HostWire {
  onmessage?: (message: never, extra?: unknown) => void
  onclose?: () => void
  onerror?: (error: Error) => void
  /** Every `tools/call` that left, by the model's id of it. */
  readonly calls = new Map<string, Frame[]>()
  /** What came of each, by the id on the wire. */
  readonly answers = new Map<string, Frame>()
  /** What the person's screen got of a call before its result. */
  readonly previews: { readonly callId: string; readonly value: unknown }[] = []
  /** What this end answered to the questions that it was asked. */
  readonly replies: Frame[] = []
  /** The newest list of tools, as it came. */
  listed: Frame['result']
  /** Changes calls on their way out. */
  meddle: (call: Frame) => Frame = (call) => call
  readonly #inner: Carrier
  /** The SDK's ids of the calls that wait under an id of the model's. */
  readonly #waiting = new Map<string, (string | number)[]>()
  readonly #tokens = new Map<unknown, string>()
  readonly #lists = new Set<unknown>()
  readonly #questions = new Set<Frame['id']>()
  readonly #sentAgain = new Map<unknown, (answer: Frame) => void>()

  constructor(inner: Carrier) {
    this.#inner = inner
  }

  /** The transport as its SDK gets it: all that it has of its own is its own still. */
  get transport(): Carrier {
    return new Proxy(this.#inner, {
      get: (inner, name) => {
        const from = OURS.has(name) ? this : inner
        const value: unknown = Reflect.get(from, name, from)
        return typeof value === 'function' ? value.bind(from) : value
      },
      set: (inner, name, value) => Reflect.set(OURS.has(name) ? this : inner, name, value),
    })
  }

  /** Questions to the person that have no answer yet, by their ids. */
  get questions(): readonly Frame['id'][] {
    return [...this.#questions]
  }

  async start(): Promise<void> {
    this.#inner.onmessage = (message: never, extra?: unknown) => this.#received(message, extra)
    this.#inner.onclose = () => this.onclose?.()
    this.#inner.onerror = (error) => this.#failed(error)
    await this.#inner.start()
  }

  async close(): Promise<void> {
    await this.#inner.close()
  }

  async send(message: never, options?: never): Promise<void> {
    await this.#inner.send(this.#named(message) as never, options)
  }

  /** A frame that no SDK knows of. */
  async sendAsItIs(frame: Omit<Frame, 'jsonrpc'>): Promise<void> {
    await this.#inner.send({ jsonrpc: '2.0', ...frame } as never)
  }

  /** The very frames of a call once more, one after the other, and what came of each. */
  async again(callId: string): Promise<readonly Frame[]> {
    const answers: Frame[] = []
    for (const frame of this.calls.get(callId) ?? []) {
      const { promise, resolve } = Promise.withResolvers<Frame>()
      this.#sentAgain.set(frame.id, resolve)
      await this.#inner.send(structuredClone(frame) as never)
      answers.push(await promise)
    }
    return answers
  }

  #named(frame: Frame): Frame {
    const { id, method, params = {} } = frame
    if (method === undefined) {
      if (this.#questions.delete(id)) this.replies.push(frame)
      return frame
    }
    if (method === 'tools/list') this.#lists.add(id)
    if (method === 'notifications/cancelled')
      return { ...frame, params: { ...params, requestId: this.#nameOf(params) } }
    return method === 'tools/call' ? this.#call(frame) : frame
  }

  #call(frame: Frame): Frame {
    const { id, params = {} } = frame
    const { [CALL_ID]: callId, ...meta } = (params['_meta'] ?? {}) as Readonly<Record<string, unknown>>
    if (typeof callId !== 'string' || id == null) return frame
    this.#tokens.set(meta['progressToken'], callId)
    const { _meta: _, ...rest } = params
    // Since 2026-07-28 the round that brings an answer is a request of its own.
    const name = params['requestState'] === undefined ? callId : `${callId}:answered`
    const call = this.meddle({
      ...frame,
      id: name,
      params: Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta },
    })
    this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), id])
    this.calls.set(callId, [...(this.calls.get(callId) ?? []), structuredClone(call)])
    return call
  }

  #nameOf({ requestId }: Readonly<Record<string, unknown>>): unknown {
    const waiting = [...this.#waiting].find(([, ids]) => ids.some((id) => id === requestId))
    return waiting?.[0] ?? requestId
  }

  #received(frame: Frame, extra: unknown): void {
    const { id, method, params = {}, result } = frame
    if (method === 'notifications/progress') this.#preview(params)
    if (method !== undefined && id != null) this.#questions.add(id)
    if (method === undefined && this.#lists.delete(id)) this.listed = result
    const sentAgain = method === undefined ? this.#sentAgain.get(id) : undefined
    if (sentAgain === undefined) this.#pass(method === undefined ? this.#unnamed(frame) : frame, extra)
    else {
      this.#sentAgain.delete(id)
      sentAgain(frame)
    }
  }

  #preview({ progressToken, message }: Readonly<Record<string, unknown>>): void {
    const callId = this.#tokens.get(progressToken)
    if (callId !== undefined && typeof message === 'string') this.previews.push({ callId, value: JSON.parse(message) })
  }

  #unnamed(frame: Frame): Frame {
    const { id, error } = frame
    if (typeof id === 'string') {
      this.answers.set(id, frame)
      const first = this.#waiting.get(id)?.shift()
      return first === undefined ? frame : { ...frame, id: first }
    }
    const doubled = id == null && error !== undefined ? this.#doubled() : undefined
    return doubled === undefined ? frame : { ...frame, id: doubled }
  }

  /** What is said under no id is said of a call under the id of another that is open: the newer of two. */
  #doubled(): string | number | undefined {
    return [...this.#waiting.values()].find((ids) => ids.length > 1)?.pop()
  }

  /** The SDKs read no line with the id `null`, which is how the other end speaks of a call that it cannot tell from another. */
  #failed(error: Error): void {
    const doubled = this.#doubled()
    if (doubled === undefined) this.onerror?.(error)
    else this.#pass({ jsonrpc: '2.0', id: doubled, error: { code: -32_600, message: error.message } })
  }

  #pass(frame: Frame, extra?: unknown): void {
    this.onmessage?.(frame as never, extra)
  }
}
