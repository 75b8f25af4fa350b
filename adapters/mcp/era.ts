import { isObject, type Message, objectIn } from './message.ts'

/** The first revision without `initialize`, in which every request says its version itself. */
export const MODERN = '2026-07-28'
/** A request of that era that has no end: its answer is a stream of notifications. */
export const LISTEN = 'subscriptions/listen'
export const VERSION = 'io.modelcontextprotocol/protocolVersion'
export const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'
export const TASKS = 'io.modelcontextprotocol/tasks'
const CLIENT = 'io.modelcontextprotocol/clientInfo'

/** A revision is a date, so that later ones sort later. */
const REVISION = /^\d{4}-\d{2}-\d{2}$/

/**
 * Does this request belong to the era of 2026-07-28? There the request's own `_meta` says so; before it, nothing in a request
 * does.
 */
export function isModern(params: Message): boolean {
  const version = objectIn(params, '_meta')[VERSION]
  return typeof version === 'string' && REVISION.test(version) && version >= MODERN
}

/** What the client of a modern request declares, in that request. */
export function declaredIn(params: Message): Message {
  return objectIn(objectIn(params, '_meta'), CAPABILITIES)
}

/** May the server answer this request with a task, unasked? Only where its client says so (the tasks extension of 2026-07-28). */
export function takesTasks(params: Message): boolean {
  return isModern(params) && Object.hasOwn(objectIn(declaredIn(params), 'extensions'), TASKS)
}

/** What a request of our own must carry to be of the same era as the call that it is made for. */
export function metaLike(params: Message): Message {
  if (!isModern(params)) return {}
  const meta = objectIn(params, '_meta')
  const kept = [VERSION, CAPABILITIES, CLIENT].flatMap((key) => (Object.hasOwn(meta, key) ? [[key, meta[key]]] : []))
  return { _meta: Object.fromEntries(kept) }
}

/**
 * Can this client show a form? `elicitation: {}` means a form (2025-06-18); since 2025-11-25 the modes may be listed, and one
 * that lists only `url` shows none.
 */
export function showsForms(capabilities: Message): boolean {
  const { elicitation } = capabilities
  if (!isObject(elicitation)) return false
  return Object.hasOwn(elicitation, 'form') || !Object.hasOwn(elicitation, 'url')
}
