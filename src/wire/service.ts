import { encodeBase64url } from '../bytes/base64url.ts'
import { randomBytes } from '../bytes/digest.ts'
import { WrongAnswer } from '../decide/absent.ts'
import { readReply } from '../decide/reply.ts'
import type { PolicyService } from '../decide/service.ts'
import { createWire } from './http.ts'
import { isHeaderText, type Secret, type ServiceTerms } from './options.ts'

const REQUEST_ID_BYTES = 16

/** How answers are bound to requests. */
export interface Binding {
  /** Must `X-Request-ID` come back? */
  readonly echoes: boolean
  /** May a connection carry several requests? Only where each answer is bound to its own. */
  readonly keepAlive: boolean
}

/** A policy service over HTTP: each question has an id of its own, its answer is read strictly. */
export function createService({ url, ca, bearer, headers }: ServiceTerms, binding: Binding): PolicyService {
  const wire = createWire({ url, ca, keepAlive: binding.keepAlive })
  return {
    async ask({ path, write, hearsErrors = false }, signal) {
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
      const reply = await wire({ path, headers: sent, body }, signal)
      const echoes = binding.echoes ? requestId : undefined
      return { ...readReply(reply, { echoes, now: Date.now(), hearsErrors }), requestId }
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
