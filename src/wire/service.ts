import { encodeBase64url } from '../bytes/base64url.ts'
import { randomBytes } from '../bytes/digest.ts'
import { WrongAnswer } from '../decide/absent.ts'
import { mostReplyBytes, readReply } from '../decide/reply.ts'
import type { PolicyService } from '../decide/service.ts'
import { createWire } from './http.ts'
import { isHeaderText, type Secret, type ServiceTerms } from './options.ts'

const REQUEST_ID_BYTES = 16

/**
 * A policy service over HTTP: each question has an id of its own, and its answer is read strictly.
 *
 * @param keepAlive may a connection carry several requests? Only where each answer says which one it is for: else an answer
 * that was left over from one request would be taken for the next one's
 */
export function createService(terms: ServiceTerms, keepAlive = terms.echo === 'required'): PolicyService {
  const { url, ca, bearer, headers, echo } = terms
  const wire = createWire({ url, ca, keepAlive })
  return {
    async ask({ path, write, hearsErrors = false, questions = 1 }, signal) {
      const requestId = encodeBase64url(randomBytes(REQUEST_ID_BYTES))
      const body = write?.(requestId)
      const sent: Record<string, string> = {
        accept: 'application/json',
        'accept-encoding': 'identity',
        'x-request-id': requestId,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(bearer === undefined ? {} : { authorization: `Bearer ${await reveal(bearer, 'bearer')}` }),
      }
      for (const [name, secret] of headers) sent[name] = await reveal(secret, name)
      const reply = await wire({ path, headers: sent, body, mostBytes: mostReplyBytes(questions) }, signal)
      return { ...readReply(reply, { requestId, echo, now: Date.now(), hearsErrors, questions }), requestId }
    },
  }
}

/** The newest value of a secret. What went wrong is not told: it might hold the secret. */
async function reveal(secret: Secret, name: string): Promise<string> {
  if (typeof secret === 'string') return secret
  let text: unknown
  try {
    text = await secret()
  } catch {
    text = undefined
  }
  if (isHeaderText(text)) return text
  throw new WrongAnswer('misconfigured', `the function for ${name} gave no text that a header can hold`)
}
