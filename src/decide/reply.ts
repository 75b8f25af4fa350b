import type { Limits } from '../bytes/canonical.ts'
import { parseStrict } from '../bytes/strict-json.ts'
import { HoldpointError } from '../errors.ts'
import type { Json } from '../types.ts'
import { AbsentAnswer, TooMuchAtOnce, WrongAnswer } from './absent.ts'

/** An HTTP reply, read whole. UNTRUSTED. */
export interface Reply {
  readonly status: number
  /** By lower-case name: every value that was sent. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly body: Uint8Array
}

/** What a reply is read under. */
export interface ReplyTerms {
  readonly requestId: string
  /** Must the reply carry its request's id in `X-Request-ID` (AuthZEN 1.0, Request Identification)? Another id is always wrong. */
  readonly echo: 'required' | 'none'
  /** Wall clock, ms since epoch: `Retry-After` may be a date. */
  readonly now: number
  /** Is a 500 read too? */
  readonly hearsErrors: boolean
  /** How many questions it answers. Default 1. */
  readonly questions?: number
}

/** A reply that was read. */
export interface Read {
  readonly status: 200 | 500
  readonly json: Json
}

const MOST_DEPTH = 16
/** For each answer. A decision takes a few hundred bytes. */
const MOST_NODES = 10_000
const MOST_BYTES = 65_536
/** A reply may be as large as so many answers at the most: 1 MiB. */
const MOST_SHARES = 16

/** How large the body of a reply to so many questions may be, bytes. */
export function mostReplyBytes(questions: number): number {
  return MOST_BYTES * shares(questions)
}

function limitsFor(questions: number): Limits {
  return { maxDepth: MOST_DEPTH, maxNodes: MOST_NODES * shares(questions), maxBytes: mostReplyBytes(questions) }
}

function shares(questions: number): number {
  return Math.min(questions, MOST_SHARES)
}

const LONGEST_RETRY_AFTER_MS = 600_000
const JSON_TYPE = /^application\/json(?:\s*;\s*charset\s*=\s*"?utf-8"?)?\s*$/i

/**
 * Reads the JSON of a policy service's reply: status 200, `application/json`, neither compressed nor cached, the answer to this
 * very request, and one JSON text that every parser reads alike. What else there may be is divided as the fail mode needs it:
 *
 * | reply | means |
 * |---|---|
 * | 429, 502, 503, 504 | absent: nobody answered; `Retry-After` is handed on |
 * | to several questions 413, or 429 without `Retry-After` | too much at once: gRPC gateways call a large request so |
 * | redirects, 4xx | wrong, `misconfigured`: the address, the credentials or the request is our own mistake |
 * | 500 (unless it is read), any other status, anything that is not a strict reply | wrong, `malformed`: somebody is speaking |
 *
 * @throws AbsentAnswer, TooMuchAtOnce, WrongAnswer
 */
export function readReply(reply: Reply, terms: ReplyTerms): Read {
  const status = statusOf(reply, terms)
  // A cache is not a policy service: it answers for what was true once.
  if (reply.headers.has('age')) throw malformed('the reply came out of a cache')
  if ((single(reply, 'content-encoding') ?? 'identity') !== 'identity') throw malformed('the reply is compressed')
  if (!JSON_TYPE.test(single(reply, 'content-type') ?? ''))
    throw malformed('the reply is not application/json in UTF-8')
  // INVARIANT I4: a permit counts for the request that it answers, not for another one on the same connection.
  const echoed = single(reply, 'x-request-id') ?? (terms.echo === 'none' ? terms.requestId : undefined)
  if (echoed !== terms.requestId) {
    throw malformed('the reply does not carry the X-Request-ID of its request')
  }
  try {
    return { status, json: parseStrict(reply.body, limitsFor(terms.questions ?? 1)) }
  } catch (cause) {
    // UNTRUSTED: where it is wrong is told by member names, which the service chose and may have copied from arguments.
    const because = cause instanceof HoldpointError ? cause.because : undefined
    throw malformed(`the reply ${because ?? 'is not JSON'}`)
  }
}

function statusOf(reply: Reply, { now, hearsErrors, questions = 1 }: ReplyTerms): 200 | 500 {
  const { status } = reply
  if (status === 200 || (status === 500 && hearsErrors === true)) return status
  const said = `the policy service answered ${status}`
  const isTooMuch = status === 413 || (status === 429 && !reply.headers.has('retry-after'))
  if (isTooMuch && questions > 1) throw new TooMuchAtOnce('misconfigured', `${said} to ${questions} questions at once`)
  if (status === 429 || (status >= 502 && status <= 504)) {
    throw new AbsentAnswer('unavailable', said, { retryAfterMs: retryAfterMs(reply, now) })
  }
  if (status >= 300 && status < 500) {
    throw new WrongAnswer('misconfigured', `${said}: this looks like our configuration${advice(status)}`)
  }
  throw malformed(said)
}

function advice(status: number): string {
  if (status === 401 || status === 403) return ', its credentials'
  if (status === 404 || status === 405) return ', its address'
  return status < 400 ? ', its address: redirects are not followed' : ''
}

/** `Retry-After` (RFC 9110 section 10.2.3) in ms: seconds or a date, at most ten minutes. `undefined` when it is neither. */
function retryAfterMs(reply: Reply, now: number): number | undefined {
  const [text, ...more] = reply.headers.get('retry-after') ?? []
  if (text === undefined || more.length > 0) return undefined
  const isSeconds = /^[0-9]{1,9}$/.test(text)
  if (!isSeconds && !/^[A-Z][a-z]{2}, .{1,24} GMT$/.test(text)) return undefined
  const waitMs = isSeconds ? Number(text) * 1_000 : Date.parse(text) - now
  return waitMs >= 0 ? Math.min(waitMs, LONGEST_RETRY_AFTER_MS) : undefined
}

/** The one value of a header. Two are two answers. */
function single({ headers }: Reply, name: string): string | undefined {
  const [value, ...more] = headers.get(name) ?? []
  if (more.length > 0) throw malformed(`the reply has two headers ${name}`)
  return value
}

function malformed(found: string): WrongAnswer {
  return new WrongAnswer('malformed', found)
}
