import type { IncomingMessage } from 'node:http'

/** What was posted, or why it is not read. */
export type Posted =
  | { readonly kind: 'body'; readonly bytes: Uint8Array }
  | { readonly kind: 'refused'; readonly status: 400 | 413 | 415; readonly because: string }
  /** The client went away meanwhile. */
  | { readonly kind: 'gone' }

/** JSON in UTF-8, in any case: `application/json; charset="UTF-8"`. */
const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?$/i
/** Headers that decide what a request is: given twice, two readers could each take another. */
const DECIDING = /^(?:mcp-.*|last-event-id|content-type|content-encoding)$/

/**
 * Reads the body of a POST. What another reader could take for something else is not read: another type, another coding, headers
 * given twice.
 *
 * @param maxBytes what is longer is refused before it is whole
 */
export async function readPosted(request: IncomingMessage, maxBytes: number): Promise<Posted> {
  const { headersDistinct } = request
  const [type = '', ...moreTypes] = headersDistinct['content-type'] ?? []
  if (moreTypes.length > 0 || !JSON_TYPE.test(type.trim())) return refused(415, 'send application/json, in UTF-8')
  const coding = (headersDistinct['content-encoding'] ?? ['identity']).join(',').trim()
  if (coding.toLowerCase() !== 'identity') return refused(415, 'send the body as it is, without a content coding')
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes)
  const chunks: Buffer[] = []
  let size = 0
  try {
    // Whoever is turned away still gets to hear why.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes) return tooLarge(maxBytes)
      chunks.push(chunk)
    }
  } catch {
    return { kind: 'gone' }
  }
  return { kind: 'body', bytes: Buffer.concat(chunks) }
}

/** The header that says two things at once, if one does. */
export function ambiguousHeader({ headersDistinct }: IncomingMessage): string | undefined {
  return Object.keys(headersDistinct).find((name) => DECIDING.test(name) && (headersDistinct[name]?.length ?? 0) > 1)
}

function tooLarge(maxBytes: number): Posted {
  return refused(413, `the message is longer than ${maxBytes} bytes`)
}

function refused(status: 400 | 413 | 415, because: string): Posted {
  return { kind: 'refused', status, because }
}
