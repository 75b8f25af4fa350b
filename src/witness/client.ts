/** Asking witnesses over HTTP: the client's side of C2SP tlog-witness. */
import { readNote } from '../log/note.ts'
import { readSize } from '../log/size.ts'
import type { KnownParty } from '../log/witness-policy.ts'
import type { AskWitness, WitnessAnswer } from '../log/witnesses.ts'

/** `fetch`, as far as it is used here. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** What the client needs from outside. */
export interface WitnessClientParts {
  readonly fetch: Fetch
  /** Runs something after so many ms, and gives back how to stop it. */
  readonly schedule: (ms: number, run: () => void) => () => void
  /** From the request to the last byte of the answer, ms. */
  readonly deadlineMs: number
}

/** A witness answers with a few lines of signatures, or with a number. */
const MOST_ANSWER_BYTES = 16_384
const TELL_THEM = 'give it the key that "holdpoint log key" prints'

/**
 * Makes the function that sends a checkpoint to a witness. It never rejects, and answers when the deadline has passed even where
 * `fetch` does not.
 *
 * UNTRUSTED: of what comes back only the status, a number and lines of signatures are read; nothing of it is shown to anybody,
 * and no redirect is followed.
 */
export function witnessClient({ fetch: send, schedule, deadlineMs }: WitnessClientParts): AskWitness {
  return async (witness, body) => {
    const controller = new AbortController()
    let stop = (): void => undefined
    const late = new Promise<WitnessAnswer>((resolve) => {
      stop = schedule(deadlineMs, () => {
        controller.abort()
        resolve(unavailable(`did not answer within ${deadlineMs} ms`))
      })
    })
    try {
      return await Promise.race([late, exchange(send, witness, body, controller.signal)])
    } finally {
      stop()
    }
  }
}

async function exchange(send: Fetch, { url }: KnownParty, body: string, signal: AbortSignal): Promise<WitnessAnswer> {
  if (url === undefined) return unavailable('has no address in the witness policy')
  try {
    const headers = { 'content-type': 'text/plain; charset=utf-8' }
    const response = await send(`${url.replace(/\/$/, '')}/add-checkpoint`, {
      method: 'POST',
      headers,
      body,
      signal,
      redirect: 'manual',
    })
    return await answerOf(response)
  } catch (cause) {
    return unavailable(`cannot be reached (${codeOf(cause)})`)
  }
}

async function answerOf(response: Response): Promise<WitnessAnswer> {
  switch (response.status) {
    case 200:
      return cosigned(await textOf(response))
    case 403:
      return { kind: 'stranger', why: `does not take this log's key (HTTP 403): ${TELL_THEM}` }
    case 404:
      return { kind: 'stranger', why: `does not know this log (HTTP 404): ${TELL_THEM}` }
    case 409:
      return elsewhere(await textOf(response))
    case 422:
      await response.body?.cancel()
      return { kind: 'contradicted' }
    default:
      await response.body?.cancel()
      return unavailable(`answered HTTP ${response.status}`)
  }
}

function cosigned(text: string | undefined): WitnessAnswer {
  if (text === undefined) return unavailable('answered at too great length, or not in UTF-8')
  try {
    // The lines of an answer are those of a note's end.
    const { text: before, signatures } = readNote(`-\n\n${text}`)
    if (before === '-\n') return { kind: 'cosigned', lines: signatures }
  } catch {
    // Said below.
  }
  return unavailable('answered with something else than lines of signatures')
}

function elsewhere(text: string | undefined): WitnessAnswer {
  const size = text?.endsWith('\n') === true ? readSize(text.slice(0, -1)) : undefined
  return size === undefined ? unavailable('answered HTTP 409 without a size') : { kind: 'elsewhere', size }
}

/** The body as text; `undefined` when it is too long or not UTF-8. Nothing beyond the bound is held. */
async function textOf({ body }: Response): Promise<string | undefined> {
  if (body === null) return ''
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let text = ''
  let length = 0
  try {
    for await (const chunk of body) {
      length += chunk.length
      if (length > MOST_ANSWER_BYTES) return undefined
      text += decoder.decode(chunk, { stream: true })
    }
    return text + decoder.decode()
  } catch (cause) {
    if (cause instanceof TypeError && 'code' in cause && cause.code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      return undefined
    throw cause
  }
}

function unavailable(why: string): WitnessAnswer {
  return { kind: 'unavailable', why }
}

/** The system's own word for what went wrong: it stands in the cause of what `fetch` throws. */
function codeOf(thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'failed'
}
