import { parseStrict } from '../bytes/strict-json.ts'
import { HoldpointError } from '../errors.ts'
import type { PasskeyAssertion } from '../types.ts'

/** What somebody posted, as it may be passed on. */
export interface PostedAnswer {
  readonly ref: string
  readonly answer: 'approved' | 'declined'
  readonly shown: string
  readonly reason?: string
  readonly passkey?: PasskeyAssertion
}

/** Why a body is none. */
export interface BadBody {
  readonly status: 400 | 408 | 413 | 415
  readonly message: string
}

const MOST_BYTES = 16 * 1024
const LONGEST_REASON = 512
/** How long a body of 16 KiB may take to come, ms. */
const LONGEST_COMING_MS = 10_000
const LIMITS = { maxDepth: 4, maxNodes: 16, maxBytes: MOST_BYTES }
const JSON_TYPE = /^application\/json(?:\s*;\s*charset\s*=\s*"?utf-8"?)?$/i
const KNOWN: ReadonlySet<string> = new Set(['ref', 'answer', 'shown', 'reason', 'passkey'])
const SIGNED = ['credentialId', 'authenticatorData', 'clientDataJSON', 'signature'] as const
/** More than any of them has, and so that all of them fit. */
const LONGEST_SIGNED = 4_096
const SHAPE =
  'The body is {ref, answer, shown, reason?, passkey?}: the reference, "approved" or "declined", the digest of what was shown, at most 512 characters, and what a passkey signed.'

/**
 * Reads an answer, strictly: a member too many or twice, and another type than JSON, which forms of other sites cannot send.
 *
 * UNTRUSTED: all of it, and that it comes at all.
 */
export async function readAnswer(request: Request, longestMs = LONGEST_COMING_MS): Promise<PostedAnswer | BadBody> {
  if (!JSON_TYPE.test(request.headers.get('content-type')?.trim() ?? ''))
    return { status: 415, message: 'The body must be application/json.' }
  const bytes = await bounded(request, longestMs)
  if (bytes === 'late') return { status: 408, message: `The body did not come within ${longestMs} ms.` }
  if (bytes === undefined) return { status: 413, message: `The body has more than ${MOST_BYTES} bytes.` }
  try {
    return posted(parseStrict(bytes, LIMITS)) ?? { status: 400, message: SHAPE }
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'ERR_FORMAT') return { status: 400, message: SHAPE }
    throw error
  }
}

function posted(value: unknown): PostedAnswer | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const given = new Map<string, unknown>(Object.entries(value))
  const [ref, answer, shown, reason] = ['ref', 'answer', 'shown', 'reason'].map((name) => given.get(name))
  if ([...given.keys()].some((name) => !KNOWN.has(name))) return undefined
  if (typeof ref !== 'string' || !/^hp_[0-9a-z]{8}$/.test(ref)) return undefined
  if (answer !== 'approved' && answer !== 'declined') return undefined
  if (typeof shown !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(shown)) return undefined
  const passkey = given.has('passkey') ? assertionIn(given.get('passkey')) : undefined
  if (given.has('passkey') && passkey === undefined) return undefined
  const signed = passkey === undefined ? {} : { passkey }
  if (!given.has('reason')) return { ref, answer, shown, ...signed }
  if (typeof reason !== 'string' || reason.length > LONGEST_REASON) return undefined
  return { ref, answer, shown, reason, ...signed }
}

/** Its four members, each in base64url, and nothing else. */
function assertionIn(value: unknown): PasskeyAssertion | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const given = new Map<string, unknown>(Object.entries(value))
  const [credentialId, authenticatorData, clientDataJSON, signature] = SIGNED.map((name) => coded(given.get(name)))
  if (given.size !== SIGNED.length) return undefined
  if (credentialId === undefined || authenticatorData === undefined) return undefined
  if (clientDataJSON === undefined || signature === undefined) return undefined
  return { credentialId, authenticatorData, clientDataJSON, signature }
}

function coded(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= LONGEST_SIGNED && /^[A-Za-z0-9_-]+$/.test(value)
    ? value
    : undefined
}

/** The body's bytes; `undefined` where they are more than we take, whatever its length says; `late` where they do not come. */
async function bounded(request: Request, longestMs: number): Promise<Uint8Array | undefined | 'late'> {
  if (Number(request.headers.get('content-length') ?? 0) > MOST_BYTES) return undefined
  if (request.body === null) return new Uint8Array(0)
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader()
  const { promise: late, resolve } = Promise.withResolvers<'late'>()
  const timer = setTimeout(resolve, longestMs, 'late')
  try {
    const read = await Promise.race([whole(reader), late])
    // Whoever sends it may go on for ever: nobody waits for that either.
    if (!(read instanceof Uint8Array)) reader.cancel().catch(() => undefined)
    return read
  } finally {
    clearTimeout(timer)
  }
}

async function whole(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(MOST_BYTES)
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return bytes.slice(0, length)
    if (length + value.length > MOST_BYTES) return undefined
    bytes.set(value, length)
    length += value.length
  }
}
