import type { IncomingMessage } from 'node:http'
import type { Listing } from '../../mcp/listing.ts'
import { isObject, type Message, objectIn } from '../../mcp/message.ts'
import { headerText, mismatch } from './agreement.ts'
import { headerOf } from './visit.ts'

/** Deeper properties carry no headers that anybody reads. */
const DEEPEST = 8

/**
 * Do the headers `Mcp-Param-*` of a call say what its arguments say? Which arguments stand in headers is what the tool's schema
 * says by `x-mcp-header` (MCP 2026-07-28, Streamable HTTP, custom headers).
 *
 * @returns the error to answer with, and 400
 */
export function paramMismatch(request: IncomingMessage, posted: Message, listing: Listing): Message | undefined {
  if (posted['method'] !== 'tools/call') return undefined
  const params = objectIn(posted, 'params')
  const { name } = params
  if (typeof name !== 'string') return undefined
  for (const { header, value } of mirrored(listing.find(name).inputSchema, params['arguments'])) {
    const field = `mcp-param-${header.toLowerCase()}`
    const said = headerOf(request, field)
    if (said === undefined) return mismatch(posted['id'], `the header Mcp-Param-${header} is missing`)
    const text = headerText(said)
    const isSame = text === String(value) || (typeof value === 'number' && text !== undefined && isNumber(text, value))
    if (!isSame) return mismatch(posted['id'], `Mcp-Param-${header} says otherwise than the arguments`)
  }
  return undefined
}

interface Mirrored {
  readonly header: string
  readonly value: string | number | boolean
}

/** The arguments that must stand in a header, with their values. */
function mirrored(schema: unknown, value: unknown, depth = 0): readonly Mirrored[] {
  if (!isObject(schema) || !isObject(value) || depth > DEEPEST) return []
  return Object.entries(objectIn(schema, 'properties')).flatMap(([property, about]) => {
    const given = Object.hasOwn(value, property) ? value[property] : undefined
    const header = isObject(about) ? about['x-mcp-header'] : undefined
    const isPlain = typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean'
    const own = typeof header === 'string' && isPlain ? [{ header, value: given }] : []
    return [...own, ...mirrored(about, given, depth + 1)]
  })
}

function isNumber(text: string, value: number): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) && Number(text) === value
}
