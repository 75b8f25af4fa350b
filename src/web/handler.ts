/** Approvals over HTTP, for the people that a host has signed in: a page, and the data and answers behind it. */

import { encodeBase64url } from '../bytes/base64url.ts'
import { randomBytes } from '../bytes/digest.ts'
import type { ApprovalRecord, Gate, Who } from '../types.ts'
import { readAnswer } from './body.ts'
import { approverPage } from './page.ts'
import { isFromElsewhere, mayPost } from './same-origin.ts'
import { asSeen } from './seen.ts'

/** What `approvalHandler` is told. */
export interface ApprovalHandlerOptions {
  /**
   * Who has sent this request, by the host's own authentication (its session, never the body); `undefined` for nobody. Only who
   * has a `user` may see or answer anything.
   */
  readonly who: (request: Request) => Who | undefined | Promise<Who | undefined>
  /**
   * The origins whose pages may answer, such as `https://shop.example.com`: say them behind a proxy, and wherever somebody is
   * signed in without a cookie of this site. Default: the origin of the request's own address.
   */
  readonly origins?: readonly string[]
}

const NONCE_BYTES = 18
const REFERENCE = /^hp_[0-9a-z]{8}$/

/** On every response: nobody keeps it, and no other site reads or frames it. */
const ALWAYS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  vary: 'accept, cookie, origin',
} as const

/**
 * A handler for whatever serves web-standard requests: Hono, Next.js, Bun, Deno, or Node through an adapter. Mount it at one path.
 *
 * - `GET` with `Accept: text/html` gives the approver's page; otherwise the open requests that the person may see, or with
 *   `?ref=hp_…` that one, as JSON.
 * - `POST` takes `{ ref, answer: 'approved' | 'declined', shown, reason?, passkey? }` as `application/json` of at most 16 KiB, from a page of
 *   the same origin. 200: recorded. 400, 408, 413, 415: not such a body. 401: nobody is signed in. 403: from another site, or not theirs
 *   to answer. 409: it does not go with the request as it stands. A refusal has `code` and `message`.
 *
 * Never rejects: what goes wrong in the store or in `who` is a 503, and a `programmer-warned` event.
 *
 * @example
 * app.all('/approvals', (context) => answerApprovals(context.req.raw))
 */
export function approvalHandler(gate: Gate, options: ApprovalHandlerOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      return await handled(gate, options, request)
    } catch (error) {
      gate.warn(
        'approval-handler',
        `a request for approvals failed: ${error instanceof Error ? error.message : 'no error was thrown'}`,
      )
      return told(503, 'The approvals cannot be reached now. Look at the request again before you answer again.')
    }
  }
}

/** UNTRUSTED: everything in the request but what `who` makes of it. */
async function handled(gate: Gate, { who, origins }: ApprovalHandlerOptions, request: Request): Promise<Response> {
  const { method } = request
  if (method !== 'GET' && method !== 'POST')
    return told(405, 'This address takes GET and POST.', { allow: 'GET, POST' })
  // INVARIANT I4: a yes of somebody who is signed in comes from a page of theirs, not of whoever they are visiting.
  if (method === 'POST' && !mayPost(request, origins))
    return told(403, 'This came from another site, so nothing was recorded.')
  const isPage = method === 'GET' && wantsPage(request)
  if (method === 'GET' && !isPage && isFromElsewhere(request)) return told(403, 'This is not for other sites.')
  const person = await who(request)
  if (typeof person?.user !== 'string') return told(401, 'Nobody is signed in.')
  if (isPage) return page()
  const view = gate.as(person, { channel: 'page' })
  return method === 'POST'
    ? await answer(view, request)
    : await look(view, new URL(request.url).searchParams.get('ref'))
}

async function answer(view: Gate, request: Request): Promise<Response> {
  const read = await readAnswer(request)
  if ('status' in read) return told(read.status, read.message)
  const { ref, answer: said, ...more } = read
  const answered = await view.answer(ref, said, { channel: 'page', ...more })
  if (answered.outcome === 'recorded')
    return json(200, { outcome: 'recorded', request: asSeen(answered.record, false, false) })
  return json(answered.code === 'approver_not_separate' ? 403 : 409, answered)
}

async function look(view: Gate, ref: string | null): Promise<Response> {
  if (ref !== null && !REFERENCE.test(ref)) return told(400, 'A reference is hp_ and eight characters.')
  const mine = new Set((await view.approvals({ for: 'me' })).map((record) => record.ref))
  const records = ref === null ? await view.approvals({ for: 'anyone' }) : [await view.request(ref)].filter(isThere)
  if (ref !== null && records.length === 0) return told(404, 'There is no such request that is for you.')
  const passkeys = view.passkeys().map(({ credentialId, rpId, origin }) => ({ credentialId, rpId, origin }))
  const { id: user, tenant } = view.scope?.principal ?? { id: '' }
  return json(200, {
    now: Date.now(),
    you: { user, ...(tenant === undefined ? {} : { tenant }) },
    passkeys,
    requests: records.map((record) => asSeen(record, mine.has(record.ref), passkeys.length > 0)),
  })
}

function isThere(record: ApprovalRecord | undefined): record is ApprovalRecord {
  return record !== undefined
}

function wantsPage(request: Request): boolean {
  return request.headers.get('accept')?.includes('text/html') === true
}

function page(): Response {
  const nonce = encodeBase64url(randomBytes(NONCE_BYTES))
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
  return new Response(approverPage(nonce), {
    headers: { ...ALWAYS, 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy },
  })
}

function told(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  return json(status, { outcome: 'refused', message }, headers)
}

function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...ALWAYS, 'content-type': 'application/json; charset=utf-8', ...headers },
  })
}
