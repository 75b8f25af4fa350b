import type { Link } from './link.ts'
import { isObject, isRequestId, type Message, type RequestId } from './message.ts'

/**
 * A transport of either SDK, by its shape (`@modelcontextprotocol/sdk` ^1.30, `@modelcontextprotocol/{server,client}` ^2): what
 * it carries are parsed frames.
 */
export interface Transport {
  onmessage?: ((message: never, extra?: never) => void) | undefined
  onclose?: (() => void) | undefined
  send(message: never, options?: never): Promise<void>
}

/** What came with a frame, and must go back with it. */
export interface Beside {
  /** Of a frame that came in: who sent it, over HTTP. */
  readonly extra?: unknown
  /** Of a frame that goes out: which stream it belongs to, over HTTP. */
  readonly sending?: unknown
  /** The request that this is about; what we say of it belongs to the same stream. */
  readonly relatedRequestId?: RequestId
}

/** On which side of the transport the guarded party stands. */
export type Side = 'server' | 'client'

/**
 * The same transport with a link in between. A proxy and no subclass: one SDK looks at the transport's own class.
 *
 * @param join makes the link, given the two ways out
 */
export function linkTransport(
  inner: Transport,
  side: Side,
  join: (ways: {
    readonly inward: (message: Message, about: Beside) => void
    readonly outward: (message: Message, about: Beside) => Promise<void>
  }) => Link<Beside>,
): Transport {
  let outer: ((message: Message, extra: unknown) => void) | undefined
  const send = inner.send.bind(inner) as (message: Message, options: unknown) => Promise<void>
  const link = join({
    inward: (message, { extra }) => outer?.(message, extra),
    outward: (message, { sending, relatedRequestId }) => send(message, sending ?? relatedTo(relatedRequestId)),
  })
  const received = (message: unknown, extra: unknown): void => {
    const about = { extra, ...idIn(message) }
    const done = side === 'server' ? link.fromClient(message, about) : link.fromServer(message, about)
    // Nobody waits for what came in: a transport that fails says so by itself.
    done?.catch(() => undefined)
  }
  const sent = async (message: unknown, sending: unknown): Promise<void> => {
    const about = { sending, ...idIn(message) }
    await (side === 'server' ? link.fromServer(message, about) : link.fromClient(message, about))
  }
  return new Proxy(inner, {
    get: (target, name) => {
      if (name === 'send') return sent
      if (name === 'onmessage') return outer
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' && name !== 'constructor' ? value.bind(target) : value
    },
    set: (target, name, value) => {
      if (name === 'onmessage') {
        outer = value
        return Reflect.set(target, name, value === undefined ? undefined : received, target)
      }
      if (name !== 'onclose') return Reflect.set(target, name, value, target)
      const closed = () => {
        link.close()
        value?.()
      }
      return Reflect.set(target, name, closed, target)
    },
  })
}

function relatedTo(relatedRequestId: RequestId | undefined): unknown {
  return relatedRequestId === undefined ? undefined : { relatedRequestId }
}

function idIn(message: unknown): { readonly relatedRequestId?: RequestId } {
  if (!isObject(message) || message['method'] === undefined || !isRequestId(message['id'])) return {}
  return { relatedRequestId: message['id'] }
}
