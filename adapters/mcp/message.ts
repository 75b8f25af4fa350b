/** A JSON-RPC message of MCP, once it is known to be an object. UNTRUSTED in all its members. */
export type Message = { readonly [member: string]: unknown }

export type RequestId = string | number

/** What a message is, or why it is none. */
export type Reading =
  | (Understood & {
      readonly kind: 'request'
      readonly id: RequestId
      readonly method: string
      readonly params: Message
    })
  | (Understood & { readonly kind: 'notification'; readonly method: string; readonly params: Message })
  | (Understood & { readonly kind: 'response'; readonly id: RequestId })
  /** An error about a frame whose id the other side could not read. */
  | (Understood & { readonly kind: 'complaint' })
  /** Nothing that may be passed on. `id` is its own, where it can be told; `isAnswer`, of a request of the other side's. */
  | { readonly kind: 'unreadable'; readonly because: string; readonly id: RequestId | null; readonly isAnswer: boolean }

interface Understood {
  /** The frame itself: the very object, so that a transport can tell what was left as it was. */
  readonly message: Message
}

const ENVELOPE = ['jsonrpc', 'id', 'method', 'params', 'result', 'error']
const CALL_PARAMS = ['name', 'arguments', '_meta', 'task', 'inputResponses', 'requestState']
const CALL = 'tools/call'
/** Methods that the gate has something to do with: nobody else gets to read one of them where the gate reads another. */
const GATED = [CALL, 'tools/list', 'sampling/createMessage']
/** Readers end a text at a control character, or leave out what they cannot show. */
const PRINTABLE = /^[\x20-\x7e]*$/

/**
 * What one frame is (JSON-RPC 2.0 §4–5, without batches: MCP dropped them in 2025-06-18).
 *
 * INVARIANT I4: a frame that another parser could read as something else is nothing: a list of frames, a member that differs
 * from one of JSON-RPC's only in case or by what nobody sees, a call without an id. Whoever cannot be understood is not forwarded.
 */
export function readMessage(frame: unknown): Reading {
  if (Array.isArray(frame)) return unreadable('is a batch; send each message by itself')
  if (!isObject(frame)) return unreadable('is no JSON-RPC message')
  const { id, method } = frame
  const given = isRequestId(id) ? id : null
  const isAnswer = method === undefined
  if (frame['jsonrpc'] !== '2.0') return unreadable('is not JSON-RPC 2.0', given, isAnswer)
  const twin = twinOf(frame, ENVELOPE)
  if (twin !== undefined) return unreadable(`has a member ${twin} in another case`, given, isAnswer)
  if (!isPrintable(frame)) return unreadable('has a member whose name is not printable', given, isAnswer)
  if (method !== undefined) return asked(frame, method, given)
  const answers = Number(Object.hasOwn(frame, 'result')) + Number(Object.hasOwn(frame, 'error'))
  if (answers !== 1) return unreadable('is neither a request nor a response', given, isAnswer)
  if (given !== null) return { kind: 'response', id: given, message: frame }
  return id === null && isObject(frame['error'])
    ? { kind: 'complaint', message: frame }
    : unreadable('answers no request')
}

function asked(frame: Message, method: unknown, id: RequestId | null): Reading {
  if (typeof method !== 'string') return unreadable('has a method that is no text', id)
  if (Object.hasOwn(frame, 'result') || Object.hasOwn(frame, 'error'))
    return unreadable('is a request and a response at once', id)
  const { params = {} } = frame
  if (!isObject(params)) return unreadable('has params that are no object', id)
  if (!PRINTABLE.test(method)) return unreadable('has a method that is not printable', id)
  const meant = GATED.find((name) => fold(name) === fold(method.trim()))
  if (meant !== undefined && meant !== method) return unreadable(`has ${meant} in another spelling`, id)
  const isCall = method === CALL
  if (isCall) {
    const twin = twinOf(params, CALL_PARAMS)
    if (twin !== undefined) return unreadable(`has a parameter ${twin} in another case`, id)
    if (!isPrintable(params)) return unreadable('has a parameter whose name is not printable', id)
  }
  if (id !== null) return { kind: 'request', id, method, params, message: frame }
  if (Object.hasOwn(frame, 'id')) return unreadable('has an id that is neither text nor a whole number')
  return isCall ? unreadable(`calls a tool without an id`) : { kind: 'notification', method, params, message: frame }
}

/** Tells the ids `1` and `"1"` apart: JSON-RPC does. */
export function keyOf(id: RequestId): string {
  return `${typeof id}:${id}`
}

/** An id out of a frame that may hold anything. */
export function isRequestId(id: unknown): id is RequestId {
  return typeof id === 'string' || Number.isSafeInteger(id)
}

export function isObject(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member that should be a text with something in it: `undefined` where it is none. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A member of a message that should be an object: empty where it is none. */
export function objectIn(value: unknown, name: string): Message {
  return objectOf(isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined)
}

/** What should be an object: empty where it is none. */
export function objectOf(value: unknown): Message {
  return isObject(value) ? value : {}
}

/** Which of these names a member would be to a reader that does not look at case: Go's own, for one. */
export function twinOf(object: Message, names: readonly string[]): string | undefined {
  for (const member of Object.keys(object)) {
    if (names.includes(member)) continue
    const folded = fold(member)
    const meant = names.find((name) => fold(name) === folded)
    if (meant !== undefined) return meant
  }
  return undefined
}

/** Whatever some reader takes for the member of this name: one that does not look at case takes any of them. */
export function readingsOf(object: Message, name: string): readonly unknown[] {
  const folded = fold(name)
  return Object.entries(object).flatMap(([member, value]) => (fold(member) === folded ? [value] : []))
}

/** What a task is, and what it gave, are results of their own, one within the other. */
export const HELD_RESULTS: readonly string[] = ['task', 'result']
export const DEEPEST_RESULT = HELD_RESULTS.length

/** A result, and those that it holds, as any reader may read them. */
export function resultsIn(said: Message, depth = DEEPEST_RESULT): readonly Message[] {
  if (depth === 0) return [said]
  const held = HELD_RESULTS.flatMap((name) => readingsOf(said, name)).filter(isObject)
  return [said, ...held.flatMap((one) => resultsIn(one, depth - 1))]
}

function isPrintable(object: Message): boolean {
  return Object.keys(object).every((member) => PRINTABLE.test(member))
}

/** Both ways, as Unicode folds: `ſ` is an `s` only in upper case, and the Kelvin sign a `k` only in lower. */
export function fold(name: string): string {
  return name.toUpperCase().toLowerCase()
}

function unreadable(because: string, id: RequestId | null = null, isAnswer = false): Reading {
  return { kind: 'unreadable', because: `this message ${because}`, id, isAnswer }
}
