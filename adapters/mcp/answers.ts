import { type Receipt, type Refusal, renderForModel } from '../../src/index.ts'
import { OURS, RECEIPT_KEY, REFUSAL_KEY } from './keys.ts'
import { DEEPEST_RESULT, fold, HELD_RESULTS, isObject, type Message, objectIn, type RequestId } from './message.ts'

/**
 * The refusal as a tool's result, in the one shape that no client loses: one text block that says everything, and `_meta` for
 * programs. Never `structuredContent`, which clients check against the tool's own schema; never a JSON-RPC error, which some
 * hosts turn into "try again".
 *
 * @param isModern since 2026-07-28 a result must say that it is complete
 */
export function refusalResult(refusal: Refusal, receipt: Receipt | undefined, isModern: boolean): Message {
  return {
    ...failedResult(renderForModel(refusal), isModern),
    _meta: { [REFUSAL_KEY]: refusal, ...receiptIn(receipt) },
  }
}

/** One text in place of a result, for what was refused without a decision: there was too much of it. */
export function failedResult(text: string, isModern: boolean): Message {
  return { ...(isModern ? { resultType: 'complete' } : {}), content: [{ type: 'text', text }], isError: true }
}

/**
 * What a server says, without what only holdpoint may say: a refusal of ours beside the result of a call that ran, a receipt,
 * a question. The very object where it says nothing of the kind.
 */
export function unforged(said: Message, depth = DEEPEST_RESULT): Message {
  return withMembers(said, (name, value) => {
    const isResult = depth > 0 && HELD_RESULTS.includes(name) && isObject(value)
    return isResult ? unforged(value, depth - 1) : withoutOurs(name, value)
  })
}

/** @param name as a reader that does not look at case has it */
function withoutOurs(name: string, value: unknown): unknown {
  if (!isObject(value) || (name !== '_meta' && name !== 'inputrequests')) return value
  const kept = Object.entries(value).filter(([key]) => !fold(key).startsWith(OURS))
  return kept.length === Object.keys(value).length ? value : Object.fromEntries(kept)
}

function withMembers(said: Message, replace: (name: string, value: unknown) => unknown): Message {
  const replaced = Object.entries(said).flatMap(([name, value]) => {
    const instead = replace(fold(name), value)
    return instead === value ? [] : [[name, instead]]
  })
  return replaced.length === 0 ? said : { ...said, ...Object.fromEntries(replaced) }
}

/** A tool's own result with one text more for the model. */
export function noted(result: Message, note: string | undefined): Message {
  if (note === undefined) return result
  const content: readonly unknown[] = Array.isArray(result['content']) ? result['content'] : []
  return { ...result, content: [...content, { type: 'text', text: note }] }
}

/** A tool's own result with the receipt of the decision beside it; nothing else of it is changed. */
export function stamped(result: Message, receipt: Receipt | undefined): Message {
  if (receipt === undefined) return result
  return { ...result, _meta: { ...objectIn(result, '_meta'), ...receiptIn(receipt) } }
}

/** A copy for whoever wants to check it; the receipt of record is in the store. */
function receiptIn(receipt: Receipt | undefined): Message {
  if (receipt === undefined) return {}
  const { id, kind, jws } = receipt
  return { [RECEIPT_KEY]: { id, kind, jws } }
}

export function resultFor(id: RequestId, result: Message): Message {
  return { jsonrpc: '2.0', id, result }
}

/** For what is no tool decision: a frame that cannot be understood. `null` answers one whose id cannot be told. */
export function errorFor(id: RequestId | null, code: number, message: string, data?: Message): Message {
  return { jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } }
}

/** Of a request whose answer is for nobody any more. */
export function cancelled(requestId: RequestId): Message {
  const params = { requestId, reason: 'holdpoint no longer waits' }
  return { jsonrpc: '2.0', method: 'notifications/cancelled', params }
}

/** Does a tool's result say of itself that the tool failed? */
export function saysItFailed(result: unknown): boolean {
  return isObject(result) && result['isError'] === true
}
