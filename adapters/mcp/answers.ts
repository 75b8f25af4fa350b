import { type Receipt, type Refusal, renderForModel } from '../../src/index.ts'
import { RECEIPT_KEY, REFUSAL_KEY } from './keys.ts'
import { isObject, type Message, objectIn, type RequestId } from './message.ts'

/**
 * The refusal as a tool's result, in the one shape that no client loses: one text block that says everything, and `_meta` for
 * programs. Never `structuredContent`, which clients check against the tool's own schema; never a JSON-RPC error, which some
 * hosts turn into "try again".
 *
 * @param isModern since 2026-07-28 a result must say that it is complete
 */
export function refusalResult(refusal: Refusal, receipt: Receipt | undefined, isModern: boolean): Message {
  return {
    ...(isModern ? { resultType: 'complete' } : {}),
    content: [{ type: 'text', text: renderForModel(refusal) }],
    isError: true,
    _meta: { [REFUSAL_KEY]: refusal, ...receiptIn(receipt) },
  }
}

/** A tool's own result with the receipt of the decision beside it; nothing else of it is changed. */
export function stamped(result: Message, receipt: Receipt | undefined, observed: Refusal | undefined): Message {
  if (receipt === undefined && observed === undefined) return result
  const said = observed === undefined ? {} : { [REFUSAL_KEY]: observed }
  return { ...result, _meta: { ...objectIn(result, '_meta'), ...said, ...receiptIn(receipt) } }
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

/** Does a tool's result say of itself that the tool failed? */
export function saysItFailed(result: unknown): boolean {
  return isObject(result) && result['isError'] === true
}
