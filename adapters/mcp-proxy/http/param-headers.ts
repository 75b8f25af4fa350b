import type { IncomingMessage } from 'node:http'
import type { ToolDefinition } from '../../../src/index.ts'
import { isModern } from '../../mcp/era.ts'
import { isObject, type Message, objectIn } from '../../mcp/message.ts'
import type { HeaderField } from '../upstream-headers.ts'
import { headerText, headerValue, mismatch } from './agreement.ts'
import { headerOf } from './visit.ts'

/** Deeper properties carry no headers that anybody reads. */
const DEEPEST = 8

/**
 * Do the headers `Mcp-Param-*` of a call say what its arguments say? Which arguments stand in headers is what the tool's schema
 * says by `x-mcp-header` (MCP 2026-07-28, Streamable HTTP, custom headers).
 *
 * INVARIANT I3: an upstream may act by the header where the gate decides by the argument, so one that is there must agree, in any
 * era; in the modern era it must be there.
 *
 * @returns the error to answer with, and 400
 */
export function paramMismatch(
  request: IncomingMessage,
  posted: Message,
  { inputSchema }: ToolDefinition,
): Message | undefined {
  const { id } = posted
  const params = objectIn(posted, 'params')
  const isBound = isModern(params)
  for (const { header, value } of mirrored(inputSchema, params['arguments'])) {
    const said = headerOf(request, `mcp-param-${header.toLowerCase()}`)
    if (said === undefined && (value === undefined || !isBound)) continue
    if (said === undefined) return mismatch(id, `the header Mcp-Param-${header} is missing`)
    if (!says(said, value)) return mismatch(id, `Mcp-Param-${header} says otherwise than the arguments`)
  }
  return undefined
}

/**
 * The headers of a call as it goes on to the upstream: what `Mcp-Param-*` says of arguments that policy has changed since is said anew.
 *
 * INVARIANT I3: an upstream that acts by the header acts by what was decided.
 *
 * @param decided the call with the arguments that run
 */
export function withDecidedParams(
  headers: readonly HeaderField[],
  request: IncomingMessage,
  decided: Message,
  { inputSchema }: ToolDefinition,
): readonly HeaderField[] {
  const params = objectIn(decided, 'params')
  const anew = mirrored(inputSchema, params['arguments']).flatMap(({ header, value }) => {
    const name = `mcp-param-${header.toLowerCase()}`
    const said = headerOf(request, name)
    const isFit = said === undefined ? value === undefined || !isModern(params) : says(said, value)
    return isFit ? [] : [{ name, text: value === undefined ? undefined : headerValue(String(value)) }]
  })
  if (anew.length === 0) return headers
  const names = new Set(anew.map(({ name }) => name))
  const kept = headers.filter(([name]) => !names.has(name.toLowerCase()))
  return [...kept, ...anew.flatMap(({ name, text }): HeaderField[] => (text === undefined ? [] : [[name, text]]))]
}

interface Mirrored {
  readonly header: string
  /** None where the argument is not given, or is nothing that a header can say. */
  readonly value: string | number | bigint | boolean | undefined
}

/** The arguments that stand in a header, with their values. */
function mirrored(schema: unknown, value: unknown, depth = 0): readonly Mirrored[] {
  if (!isObject(schema) || depth > DEEPEST) return []
  return Object.entries(objectIn(schema, 'properties')).flatMap(([property, about]) => {
    const given = isObject(value) && Object.hasOwn(value, property) ? value[property] : undefined
    const header = isObject(about) ? about['x-mcp-header'] : undefined
    const own = typeof header === 'string' ? [{ header, value: plain(given) }] : []
    return [...own, ...mirrored(about, given, depth + 1)]
  })
}

function plain(value: unknown): Mirrored['value'] {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return value
    default:
      return undefined
  }
}

function says(said: string, value: Mirrored['value']): boolean {
  const text = headerText(said)
  if (text === undefined || value === undefined) return false
  return text === String(value) || (typeof value === 'number' && isNumber(text, value))
}

function isNumber(text: string, value: number): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) && Number(text) === value
}
