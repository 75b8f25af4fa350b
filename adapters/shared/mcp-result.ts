import type { PermittedAdmission } from '../../src/index.ts'

/** A message of MCP, or a part of one. UNTRUSTED in all its members. */
type Message = { readonly [member: string]: unknown }

const INTERNAL_ERROR = -32_603
const NOT_SHOWN = 'holdpoint: the tool failed; policy keeps back what it said'

/** Does policy keep a part of the result back? */
export function isRedacted({ notices = [] }: PermittedAdmission): boolean {
  return notices.some(({ kind }) => kind === 'redacted')
}

/**
 * What may be shown of a tool's result, the very object where nothing is kept back. Policies speak of what the tool gives:
 * `structuredContent`, or else the JSON that its one text is. That is made anew from what may be shown; blocks of any other kind
 * are left out, since nobody can look for the same values in them. UNTRUSTED.
 */
export function revealed(result: Message, admission: PermittedAdmission): Message {
  if (!isRedacted(admission)) return result
  const { structuredContent } = result
  const isStructured = isObject(structuredContent)
  const shown = admission.reveal(isStructured ? structuredContent : jsonIn(result))
  const text = typeof shown === 'string' ? shown : JSON.stringify(shown)
  return {
    ...(typeof result['resultType'] === 'string' ? { resultType: 'complete' } : {}),
    content: [{ type: 'text', text }],
    ...(isStructured && isObject(shown) ? { structuredContent: shown } : {}),
    ...(result['isError'] === true ? { isError: true } : {}),
  }
}

/**
 * The same of what a client of the AI SDK gives for a tool of an MCP server: the server's result, or what was structured in it.
 */
export function revealedByClient(result: unknown, admission: PermittedAdmission): unknown {
  return isResult(result) ? revealed(result, admission) : admission.reveal(result)
}

function wholeRevealed(result: unknown, admission: PermittedAdmission): unknown {
  return isObject(result) ? revealed(result, admission) : admission.reveal(result)
}

/** The same of a client that gives the server's blocks alone. */
function contentRevealed(content: unknown, admission: PermittedAdmission): unknown {
  return Array.isArray(content) ? revealed({ content }, admission)['content'] : admission.reveal(content)
}

/** What such a client throws may quote the server, or the result that it could not read. */
export function errorOfClient(error: unknown, admission: PermittedAdmission): unknown {
  return isRedacted(admission) ? new Error(NOT_SHOWN) : error
}

/** INVARIANT I4: how a host shows what an MCP server gave its client, or why that failed. The same in every host. */
export const BY_CLIENT = { reveal: revealedByClient, revealError: errorOfClient } as const

/** The same where the host is given the server's whole result, whatever is in it. */
export const WHOLE_BY_CLIENT = { reveal: wholeRevealed, revealError: errorOfClient } as const

/** The same where its client gives the host the blocks alone. */
export const BLOCKS_BY_CLIENT = { reveal: contentRevealed, revealError: errorOfClient } as const

/** An answer that is no result may quote what is kept back in whatever it is, so nothing but an error's code is passed on. */
export function withoutDetails({ jsonrpc, id, error }: Message): Message {
  const code = isObject(error) && Number.isSafeInteger(error['code']) ? error['code'] : INTERNAL_ERROR
  return { jsonrpc, id, error: { code, message: NOT_SHOWN } }
}

/** In any form that the client takes: blocks, structured, or as it was in the first revision. */
function isResult(value: unknown): value is Message {
  if (!isObject(value)) return false
  return Array.isArray(value['content']) || 'structuredContent' in value || 'toolResult' in value
}

function isObject(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The JSON that the result's one text is; the text itself where it is none. */
function jsonIn({ content }: Message): unknown {
  const [block, ...others] = Array.isArray(content) ? content : []
  const text = isObject(block) && others.length === 0 ? block['text'] : undefined
  if (typeof text !== 'string') return ''
  try {
    return JSON.parse(text)
  } catch {
    return ''
  }
}
