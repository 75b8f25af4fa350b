import { request as httpRequest } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approvalHandler } from '../../src/index.ts'
import { faultStore } from '../../src/store/fault.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { type TestGate, testGate } from '../../src/testing.ts'
import type { ApprovalRecord } from '../../src/types.ts'
import { readAnswer } from '../../src/web/body.ts'
import { signedIn, startHost, type WebHost } from '../support/web-host.ts'

const POLICY = `@id("own-yes")
@requires("confirmation")
permit (principal, action == Action::"shop/send_mail", resource);
@id("finance")
@requires("approval:finance")
permit (principal, action == Action::"shop/refund", resource);
`

let isStoreAway: boolean
let gate: TestGate
let host: WebHost
/** Asks for alice's own yes, and for one of finance. */
let mail: ApprovalRecord
let refund: ApprovalRecord
beforeEach(async () => {
  isStoreAway = false
  const store = faultStore(createMemoryStore(), ({ operation }) =>
    isStoreAway && operation === 'get' ? 'fail' : 'none',
  )
  gate = testGate({ policy: POLICY, server: 'shop', store })
  gate.register([
    { name: 'send_mail', origin: 'own' },
    { name: 'refund', origin: 'own' },
  ])
  host = await startHost(approvalHandler(gate, { who: signedIn }))
  mail = await requested('send_mail', { to: '</script><img src=x onerror=alert(1)>\u202e' })
  refund = await requested('refund', { amount: 900 })
})
afterEach(async () => {
  await host.close()
  await gate.close()
})

const alice = () => gate.as({ user: 'alice' }, { conversation: 'c1', channel: 'chat' })

async function requested(tool: string, input: Record<string, string | number>): Promise<ApprovalRecord> {
  const admission = await alice().admit({ tool, input })
  if (admission.outcome === 'refused' && admission.request !== undefined) return admission.request
  throw new Error(`nobody was asked about ${tool}`)
}

interface Sent {
  readonly status: number
  readonly body: Record<string, unknown>
}

const yesTo = ({ ref, shown }: ApprovalRecord) => ({ ref, answer: 'approved', shown })

async function post(
  session: string | undefined,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Sent> {
  const response = await fetch(`${host.origin}/approvals`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      origin: host.origin,
      'sec-fetch-site': 'same-origin',
      ...(session === undefined ? {} : { 'x-session': session }),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  expect(response.headers.get('cache-control')).toBe('no-store')
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

async function look(session: string | undefined, query = '', headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`${host.origin}/approvals${query}`, {
    headers: { accept: 'application/json', ...(session === undefined ? {} : { 'x-session': session }), ...headers },
  })
  expect(response.headers.get('cache-control')).toBe('no-store')
  const { requests = [] } = (await response.json()) as { requests?: { ref: string; yours: boolean }[] }
  return { status: response.status, requests }
}

const stateOf = async ({ ref }: ApprovalRecord) => (await gate.store.get(ref))?.state

describe('what a person sees', () => {
  it('is what they may see, and which of it is theirs to answer', async () => {
    const briefly = (requests: readonly { ref: string; yours: boolean }[]) =>
      requests.map(({ ref, yours }) => [ref, yours]).sort()
    const [own, others] = [mail.ref, refund.ref]
    expect(briefly((await look('alice')).requests)).toEqual(
      [
        [own, true],
        [others, false],
      ].sort(),
    )
    expect(briefly((await look('bob:finance')).requests)).toEqual([[others, true]])
    expect(briefly((await look('mallory')).requests)).toEqual([])
    expect(briefly((await look('bob:finance', `?ref=${others}`)).requests)).toEqual([[others, true]])
  })

  it('is nothing of anybody else, and nothing at all for nobody', async () => {
    expect(await look('bob:finance', `?ref=${mail.ref}`)).toMatchObject({ status: 404, requests: [] })
    expect(await look('bob:finance', '?ref=hp_00000000')).toMatchObject({ status: 404 })
    expect(await look('bob:finance', '?ref=../x')).toMatchObject({ status: 400 })
    expect(await look(undefined)).toMatchObject({ status: 401, requests: [] })
    expect(await look('alice', '', { 'sec-fetch-site': 'cross-site' })).toMatchObject({ status: 403, requests: [] })
  })

  it('holds no signed statement and no digest of the call', async () => {
    await post('bob:finance', yesTo(refund))
    const text = JSON.stringify(await look('bob:finance', `?ref=${refund.ref}`))
    expect(text).toContain('"by":"bob"')
    expect(text).not.toContain('statement')
    expect(text).not.toContain(refund.requestDigest)
  })
})

describe('an answer', () => {
  it('of the person whose yes is asked for lets the call run once', async () => {
    expect(await post('alice', yesTo(mail))).toMatchObject({
      status: 200,
      body: { outcome: 'recorded', request: { ref: mail.ref, state: 'approved' } },
    })
    expect(await post('bob:finance', { ...yesTo(refund), reason: 'as agreed' })).toMatchObject({ status: 200 })
    const ran = await alice().run({ tool: 'refund', input: { amount: 900 } }, () => 'paid')
    expect(ran.outcome).toBe('ran')
    expect((await gate.store.get(refund.ref))?.answers).toMatchObject([
      { by: 'bob', channel: 'page', roles: ['finance'], reason: 'as agreed' },
    ])
  })

  it.each([
    ['of another origin', { origin: 'https://evil.example' }],
    ['whose origin is hidden', { origin: 'null' }],
    ['that the browser says another site sent', { 'sec-fetch-site': 'cross-site' }],
    ['that a sister site sent', { 'sec-fetch-site': 'same-site' }],
  ])('from a page %s is refused, though the person is signed in', async (_, headers) => {
    expect(await post('alice', yesTo(mail), headers)).toMatchObject({ status: 403, body: { outcome: 'refused' } })
    expect(await stateOf(mail)).toBe('pending')
  })

  it('without an origin is refused', async () => {
    const status = await new Promise((ended) => {
      const headers = { 'content-type': 'application/json', 'x-session': 'alice' }
      httpRequest(`${host.origin}/approvals`, { method: 'POST', headers }, (response) =>
        ended(response.statusCode),
      ).end(JSON.stringify(yesTo(mail)))
    })
    expect(status).toBe(403)
    expect(await stateOf(mail)).toBe('pending')
  })

  it('of nobody is refused', async () => {
    expect(await post(undefined, yesTo(mail))).toMatchObject({ status: 401 })
    expect(await stateOf(mail)).toBe('pending')
  })

  it.each([
    ['mallory', 'mail', 409, 'approval_mismatch'],
    ['bob:finance', 'mail', 409, 'approval_mismatch'],
    ['alice', 'refund', 403, 'approver_not_separate'],
    ['alice:finance', 'refund', 403, 'approver_not_separate'],
    ['mallory:legal', 'refund', 409, 'approval_mismatch'],
  ])('of %s about the %s is refused with its code', async (session, about, status, code) => {
    const record = about === 'mail' ? mail : refund
    expect(await post(session, yesTo(record))).toMatchObject({ status, body: { outcome: 'refused', code } })
    expect(await post(session, { ...yesTo(record), answer: 'declined' })).toMatchObject({ status })
    expect(await stateOf(record)).toBe('pending')
  })

  it('that is sent again counts once, and says so', async () => {
    const yes = yesTo(refund)
    expect(await post('bob:finance', yes)).toMatchObject({ status: 200 })
    expect(await post('bob:finance', yes)).toMatchObject({ status: 409, body: { code: 'approval_mismatch' } })
    await alice().run({ tool: 'refund', input: { amount: 900 } }, () => 'paid')
    expect(await post('bob:finance', yes)).toMatchObject({ status: 409, body: { code: 'already_executed' } })
    expect(await post('carol:finance', yes)).toMatchObject({ status: 409, body: { code: 'already_executed' } })
  })

  it('after a no is refused: a no is final', async () => {
    expect(await post('alice', { ...yesTo(mail), answer: 'declined' })).toMatchObject({ status: 200 })
    expect(await post('alice', yesTo(mail))).toMatchObject({ status: 409, body: { code: 'approval_declined' } })
  })

  it('to something else than was shown is refused', async () => {
    const swapped = { ...yesTo(mail), shown: refund.shown }
    expect(await post('alice', swapped)).toMatchObject({ status: 409, body: { code: 'approval_mismatch' } })
    expect(await stateOf(mail)).toBe('pending')
  })

  it('with an altered body is refused whole', async () => {
    const yes = yesTo(mail)
    const { shown: _, ...unseen } = yes
    const text = JSON.stringify(yes)
    for (const body of [
      unseen,
      { ...yes, by: 'bob' },
      { ...yes, roles: ['finance'] },
      { ...yes, answer: 'approve' },
      { ...yes, answer: true },
      { ...yes, ref: `${mail.ref} ` },
      { ...yes, shown: '' },
      { ...yes, reason: 'x'.repeat(513) },
      { ...yes, reason: null },
      [yes],
      'approved',
      '',
      text.replace('{', '{"answer":"declined",'),
      `${text}${text}`,
      '{"__proto__":{}}',
    ])
      expect(await post('alice', body)).toMatchObject({ status: 400, body: { outcome: 'refused' } })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])
      expect(await post('alice', yes, { 'content-type': type })).toMatchObject({ status: 415 })
    expect(await stateOf(mail)).toBe('pending')
  })

  it('that is longer than any answer is not read to its end', async () => {
    expect(await post('alice', JSON.stringify({ ...yesTo(mail), reason: 'x'.repeat(20_000) }))).toMatchObject({
      status: 413,
    })
    const chunk = new TextEncoder().encode(' '.repeat(4_096))
    let sent = 0
    const body = new ReadableStream({
      pull(controller) {
        sent += 1
        if (sent > 6) controller.close()
        else controller.enqueue(chunk)
      },
    })
    const request = new Request(`${host.origin}/approvals`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: host.origin, 'x-session': 'alice' },
      body,
      duplex: 'half',
    } as RequestInit)
    expect((await approvalHandler(gate, { who: signedIn })(request)).status).toBe(413)
    expect(await stateOf(mail)).toBe('pending')
  })

  it('that begins and never ends is not waited for', async () => {
    const [first] = [new TextEncoder().encode('{')]
    const body = new ReadableStream({ start: (controller) => controller.enqueue(first) })
    const headers = { 'content-type': 'application/json' }
    const request = new Request(host.origin, { method: 'POST', headers, body, duplex: 'half' } as RequestInit)
    expect(await readAnswer(request, 20)).toMatchObject({ status: 408 })
  }, 3_000)

  it('while the store is away says that it is, and the programmer hears of it', async () => {
    isStoreAway = true
    expect(await post('alice', yesTo(mail))).toMatchObject({ status: 503, body: { outcome: 'refused' } })
    expect(gate.events).toContainEqual(
      expect.objectContaining({ event: 'programmer-warned', code: 'approval-handler' }),
    )
  })

  it('from the origins that the operator names is taken, and from no other', async () => {
    const handle = approvalHandler(gate, { who: signedIn, origins: ['https://shop.example'] })
    const from = async (origin: string): Promise<number> => {
      const headers = { 'content-type': 'application/json', origin, 'x-session': 'alice' }
      const sent = { method: 'POST', headers, body: JSON.stringify(yesTo(mail)) }
      return (await handle(new Request('http://10.0.0.7:8080/approvals', sent))).status
    }
    expect(await from('http://10.0.0.7:8080')).toBe(403)
    expect(await from('https://shop.example.evil.example')).toBe(403)
    expect(await from('https://shop.example')).toBe(200)
  })

  it('by any other method is none', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      expect((await fetch(`${host.origin}/approvals`, { method, headers: { 'x-session': 'alice' } })).status).toBe(405)
  })
})

describe('the page', () => {
  const open = (session?: string) =>
    fetch(`${host.origin}/approvals?ref=${mail.ref}`, {
      headers: {
        accept: 'text/html,application/xhtml+xml',
        'sec-fetch-site': 'cross-site',
        ...(session === undefined ? {} : { 'x-session': session }),
      },
    })

  it('runs its own script and nothing else, is framed by nobody, and is kept by nobody', async () => {
    const [one, other] = [await open('alice'), await open('alice')]
    const policy = one.headers.get('content-security-policy') ?? ''
    expect(one.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(one.headers.get('cache-control')).toBe('no-store')
    expect(policy).toMatch(/^default-src 'none'; script-src 'nonce-[A-Za-z0-9_-]{24}'; style-src 'nonce-/)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(policy).not.toBe(other.headers.get('content-security-policy'))
    const html = await one.text()
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1]
    expect(html.match(/<(?:script|style)[^>]*>/g)).toEqual([`<style nonce="${nonce}">`, `<script nonce="${nonce}">`])
    expect(html).not.toMatch(/(?:src|href)=|https?:|@import|innerHTML|eval\(/)
  })

  it('holds nothing of any call, and is for nobody who is not signed in', async () => {
    expect(await (await open('alice')).text()).not.toContain('onerror')
    expect((await open()).status).toBe(401)
  })
})
