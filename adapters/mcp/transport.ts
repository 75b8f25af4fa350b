import { attempt } from './attempt.ts'
import { keepNewest } from './keep-newest.ts'
import type { Link } from './link.ts'
import { isObject, isRequestId, type Message, type RequestId } from './message.ts'

/**
 * A transport of either SDK, by its shape (`@modelcontextprotocol/sdk` ^1.30, `@modelcontextprotocol/{server,client}` ^2): what
 * it carries are parsed frames.
 */
export interface Transport {
  onmessage?: ((message: never, extra?: never) => void) | undefined
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
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

/** How a frame comes in at the one end, or goes out at the other. */
interface Ways {
  readonly inward: (message: Message, about: Beside) => void
  readonly outward: (message: Message, about: Beside) => Promise<void>
}

/**
 * The same transport with a link in between. A proxy and no subclass: one SDK looks at the transport's own class.
 *
 * @param ends `join` makes the link, given the two ways out; `closed` learns that the connection is no more
 */
export function linkTransport(
  inner: Transport,
  side: Side,
  ends: { readonly join: (ways: Ways) => Link<Beside>; readonly closed: () => void },
): Transport {
  // Whoever listens already goes on listening, behind the gate.
  let outer = inner.onmessage as ((message: Message, extra: unknown) => void) | undefined
  const send = inner.send.bind(inner) as (message: Message, options: unknown) => Promise<void>
  const link = ends.join({
    inward: (message, { extra }) => outer?.(message, extra),
    outward: (message, about) => send(message, optionsFor(message, about)),
  })
  const askers = new Askers()
  const received = (message: unknown, extra: unknown): void => {
    const about = { extra, ...requestIn(message) }
    askers.note(about)
    const done = attempt(() => (side === 'server' ? link.fromClient(message, about) : link.fromServer(message, about)))
    // Nobody waits for what came in.
    done.catch((cause: unknown) => inner.onerror?.(cause instanceof Error ? cause : new Error(String(cause))))
  }
  const sent = async (message: unknown, sending: unknown): Promise<void> => {
    const about = { sending, ...requestIn(message) }
    if (side === 'server') return await link.fromServer(message, { ...about, extra: askers.of(message, sending) })
    whenAborted(sending, () => link.cancel(about.relatedRequestId))
    await link.fromClient(message, about)
  }
  const close = () => {
    link.close()
    ends.closed()
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
        close()
        value?.()
      }
      return Reflect.set(target, name, closed, target)
    },
  })
}

/** Requests whose senders are remembered: of more, the oldest are forgotten. */
const MOST_ASKERS = 1_000

/** Who sent the requests that a server is at work on: what it says and asks on account of them, it says and asks for them. */
class Askers {
  readonly #extras = new Map<RequestId, unknown>()

  note({ relatedRequestId, extra }: Beside): void {
    if (relatedRequestId === undefined || extra === undefined) return
    this.#extras.delete(relatedRequestId)
    keepNewest(this.#extras, relatedRequestId, extra, MOST_ASKERS)
  }

  /** What came with the request that this answers, or that it was sent on account of. */
  of(message: unknown, sending: unknown): unknown {
    const { method, id } = isObject(message) ? message : {}
    const { relatedRequestId } = isObject(sending) ? sending : {}
    const about = method === undefined ? id : relatedRequestId
    return isRequestId(about) ? this.#extras.get(about) : undefined
  }
}

/**
 * What a party said of sending its own message holds for that message alone: the token of a stream that is resumed, the headers
 * of one request. What we send on its account belongs to the request that it is about.
 */
function optionsFor(message: Message, { sending, relatedRequestId }: Beside): unknown {
  if (relatedRequestId === undefined || message['id'] === relatedRequestId)
    return sending ?? relatedTo(relatedRequestId)
  return sending === undefined ? relatedTo(relatedRequestId) : undefined
}

function relatedTo(relatedRequestId: RequestId | undefined): unknown {
  return relatedRequestId === undefined ? undefined : { relatedRequestId }
}

/** Over HTTP a client since 2026-07-28 leaves by dropping the request, and says nothing. */
function whenAborted(sending: unknown, leave: () => void): void {
  const { requestSignal } = isObject(sending) ? sending : {}
  if (requestSignal instanceof AbortSignal) requestSignal.addEventListener('abort', leave, { once: true })
}

function requestIn(message: unknown): { readonly relatedRequestId?: RequestId } {
  if (!isObject(message) || message['method'] === undefined || !isRequestId(message['id'])) return {}
  return { relatedRequestId: message['id'] }
}
