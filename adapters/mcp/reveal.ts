import type { PermittedAdmission } from '../../src/index.ts'
import { isObject, type Message } from './message.ts'

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

/** An error may quote what is kept back, so of it nothing but its code is passed on. */
export function withoutDetails(response: Message): Message {
  const { error } = response
  if (!isObject(error)) return response
  return { ...response, error: { code: error['code'], message: NOT_SHOWN } }
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
