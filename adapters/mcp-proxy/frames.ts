/** Frames as text: what the two sides of the proxy say, read once, and what goes on to the other. */

import { parseStrictWithBigints } from '../../src/bytes/strict-json.ts'
import { HoldpointError } from '../../src/index.ts'
import { errorFor } from '../mcp/answers.ts'
import { INTERNAL_ERROR } from '../mcp/keys.ts'
import { isObject, isRequestId, type Message } from '../mcp/message.ts'

/** The longest frame of either side, in bytes, unless the operator says otherwise. */
export const LONGEST_FRAME = 4 * 1_048_576
/** A frame wraps arguments, whose own limits the gate holds; contents of other messages may be larger. */
const LIMITS = { maxDepth: 128, maxNodes: 200_000 }

/** One frame of a client's, or why it is none. */
export type ClientFrame =
  | { readonly kind: 'read'; readonly message: unknown }
  | { readonly kind: 'unreadable'; readonly because: string }

/** The text of frames that are passed on as they came. */
const texts = new WeakMap<object, string>()

const UNWRITABLE = 'what it said is nested too deeply to be passed on'

/** Digits that a double may not hold: then each number is looked at. */
const LONG_NUMBER = /\d{16}|\d[eE]/

/** V8's own (ECMAScript proposal "JSON.parse source text access", in Node since 21). */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }

/**
 * Reads what a client says, so strictly that every other reader reads the same: no member twice, no byte order mark, no lone
 * surrogate, nothing after the value, no name that reaches prototypes. What cannot be read is nothing, and goes nowhere.
 */
export function readClientFrame(said: string | Uint8Array, maxBytes: number = LONGEST_FRAME): ClientFrame {
  try {
    const message = parseStrictWithBigints(said, { ...LIMITS, maxBytes })
    if (typeof message === 'object' && message !== null)
      texts.set(message, onOneLine(typeof said === 'string' ? said : new TextDecoder().decode(said)))
    return { kind: 'read', message }
  } catch (cause) {
    if (cause instanceof HoldpointError) return { kind: 'unreadable', because: cause.message }
    throw cause
  }
}

/**
 * Reads what a server says, `undefined` where it is no JSON. Of two members of one name the last counts, here and for the
 * client: it gets what was read, written anew. Numbers stay as they were written.
 */
export function readServerFrame(said: string): unknown {
  try {
    return LONG_NUMBER.test(said) ? JSON.parse(said, asWritten) : JSON.parse(said)
  } catch (cause) {
    const deep: unknown = cause instanceof RangeError ? JSON.parse(said) : undefined
    return isObject(deep) ? inPlaceOf(deep) : undefined
  }
}

/** The text of a frame to send: as it came where it is the client's and untouched, written anew otherwise. */
export function frameText(message: object): string {
  return texts.get(message) ?? JSON.stringify(message, asLongNumber)
}

/**
 * The text of what a client is sent. Whoever waits for what cannot be written gets an error in its place.
 *
 * @throws Error for what answers nothing: it is lost
 */
export function textForClient(message: Message): string {
  try {
    return frameText(message)
  } catch {
    const error = inPlaceOf(message)
    if (error === undefined) throw new Error(UNWRITABLE)
    return JSON.stringify(error)
  }
}

/** UNTRUSTED: nested so deeply that it can be read, and neither looked at nor written. Nobody waits for what is no answer. */
function inPlaceOf({ id, method }: Message): Message | undefined {
  if (method !== undefined || !isRequestId(id)) return undefined
  return errorFor(id, INTERNAL_ERROR, `holdpoint: the server answered, but ${UNWRITABLE}`)
}

/** Line breaks stand between tokens alone, and a line is a frame over stdio: nobody sends two in one. */
function onOneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, ' ')
}

/** A reviver also gets the source of each primitive value. */
function asWritten(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source
  return typeof value === 'number' && source !== undefined && String(value) !== source ? rawJSON(source) : value
}

function asLongNumber(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJSON(value.toString()) : value
}
