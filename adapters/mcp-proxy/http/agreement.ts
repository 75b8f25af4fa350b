import type { IncomingMessage } from 'node:http'
import { errorFor } from '../../mcp/answers.ts'
import { isModern, VERSION } from '../../mcp/era.ts'
import { HEADER_MISMATCH, INVALID_PARAMS } from '../../mcp/keys.ts'
import { isObject, isRequestId, type Message, objectIn, objectOf } from '../../mcp/message.ts'
import { headerOf } from './visit.ts'

/** Which of a request's params stands in `Mcp-Name`. */
const NAMED_BY: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

/**
 * Do the headers say of a message what it says itself? Whoever stands between might route by them, and an upstream might act by
 * them; the gate decides by the body (MCP 2026-07-28, Streamable HTTP).
 *
 * A header that is there must agree in any era; in the modern era those of a request must be there.
 *
 * @returns the error to answer with, and 400
 */
export function disagreement(request: IncomingMessage, message: unknown): Message | undefined {
  if (!isObject(message) || typeof message['method'] !== 'string') return undefined
  const { method, id } = message
  const params = objectIn(message, 'params')
  const isBound = isModern(params) && Object.hasOwn(message, 'id')
  const field = NAMED_BY.get(method)
  const said = [
    { header: 'MCP-Protocol-Version', body: objectIn(params, '_meta')[VERSION] },
    { header: 'Mcp-Method', body: method },
    ...(field === undefined ? [] : [{ header: 'Mcp-Name', body: params[field] }]),
  ]
  for (const { header, body } of said) {
    const value = headerOf(request, header.toLowerCase())
    if (typeof body !== 'string') continue
    if (value === undefined && !isBound) continue
    if (value !== undefined && headerText(value) === body) continue
    const because = value === undefined ? `the header ${header} is missing` : `${header} says otherwise than the body`
    return mismatch(id, because)
  }
  return undefined
}

/** The error that a header which contradicts its message is answered with. */
export function mismatch(id: unknown, because: string): Message {
  return errorFor(isRequestId(id) ? id : null, HEADER_MISMATCH, `holdpoint: ${because}`)
}

/** Does this message say itself of which revision it is? Only those of the modern era do. */
export function namesRevision(message: unknown): boolean {
  return Object.hasOwn(objectIn(objectIn(message, 'params'), '_meta'), VERSION)
}

/** Does the request say in its header that it is of the modern era? */
export function saysModern(request: IncomingMessage): boolean {
  return isModern({ _meta: { [VERSION]: headerOf(request, 'mcp-protocol-version') } })
}

/**
 * A request that is of the modern era by its header must be so by what it says itself.
 *
 * @returns the error to answer with, and 400
 */
export function withoutEnvelope(request: IncomingMessage, message: unknown): Message | undefined {
  if (!saysModern(request) || !isObject(message) || typeof message['method'] !== 'string') return undefined
  const { id, method } = message
  if (!Object.hasOwn(message, 'id') || isModern(objectIn(message, 'params'))) return undefined
  if (method === 'initialize') return mismatch(id, 'initialize does not belong to the revision of MCP-Protocol-Version')
  return errorFor(isRequestId(id) ? id : null, INVALID_PARAMS, `holdpoint: params._meta["${VERSION}"] is missing`)
}

const ENCODED = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/

/** The value of a header that may be written in base64, where a header could not carry it as it is; `undefined` for nonsense. */
export function headerText(value: string): string | undefined {
  const trimmed = value.replace(/^[ \t]+|[ \t]+$/g, '')
  const [, encoded] = ENCODED.exec(trimmed) ?? []
  if (encoded === undefined) return trimmed
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Writes a value as `headerText` reads it. */
export function headerValue(text: string): string {
  const isPlain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith('=?')
  return isPlain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`
}

/** The headers that a request of our own must carry in the modern era. */
export function standardHeaders({ method, params }: Message): ReadonlyMap<string, string> {
  const field = typeof method === 'string' ? NAMED_BY.get(method) : undefined
  const name = field === undefined ? undefined : objectOf(params)[field]
  return new Map([
    ...(typeof method === 'string' ? [['mcp-method', method] as const] : []),
    ...(typeof name === 'string' ? [['mcp-name', headerValue(name)] as const] : []),
  ])
}
