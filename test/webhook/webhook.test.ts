import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { createFunctionPoint } from '../../src/policy/function.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { GateEvent } from '../../src/types.ts'
import { createSender, signedHeaders } from '../../src/webhook/sender.ts'
import { checkWebhook, messageOf } from '../../src/webhook/webhook.ts'

const SECRET = Buffer.alloc(32, 7)
const WRITTEN = `whsec_${SECRET.toString('base64')}`
const ASKED: GateEvent = {
  event: 'approval-requested',
  tool: 'shop/refund',
  ref: 'hp_00000001',
  requires: 'approval:finance',
}

interface Heard {
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

let heard: Heard[]
let answer: (response: ServerResponse, index: number) => void
let url: string
let close: () => void
beforeEach(async () => {
  heard = []
  answer = (response) => response.writeHead(204).end()
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text) => {
      body += text
    })
    request.on('end', () => answer(response, heard.push({ url: request.url, headers: request.headers, body }) - 1))
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=t0ken`
  close = () => {
    server.closeAllConnections()
    server.close()
  }
})
afterEach(() => {
  close()
  vi.unstubAllEnvs()
})

const receiver = (more: object = {}) =>
  checkWebhook({ url, secret: { env: 'HOLDPOINT_HOOK' }, ...more }, { HOLDPOINT_HOOK: WRITTEN })

function sending(terms: { readonly deadlineMs?: number; readonly pausesMs?: readonly number[] } = {}) {
  const warnings: string[] = []
  const sender = createSender([receiver({ page: 'https://shop.example/approvals' })], {
    warn: (message) => warnings.push(message),
    pausesMs: [5, 5],
    ...terms,
  })
  return { sender, warnings }
}

const until = (isSo: () => boolean): Promise<void> => vi.waitFor(() => expect(isSo()).toBe(true), { timeout: 5_000 })

describe('a webhook', () => {
  it('is told what waits, where it is answered, and nothing of the arguments', async () => {
    vi.stubEnv('HOLDPOINT_HOOK', WRITTEN)
    const gate = createGate({
      config: false,
      server: 'shop',
      webhooks: [{ url, secret: { env: 'HOLDPOINT_HOOK' }, page: 'https://shop.example/approvals?tab=open' }],
      policy: createFunctionPoint(() => 'permit'),
      effects: { store: createMemoryStore(), signer: generateSigner() },
      events: [],
    })
    gate.register([{ name: 'refund', origin: 'own' }])
    const admission = await gate
      .as({ user: 'alice' }, { conversation: 'c1' })
      .admit({ tool: 'refund', input: { note: 'only for these eyes' } }, { requires: 'confirmation' })
    const ref = admission.outcome === 'refused' ? admission.request?.ref : undefined
    await until(() => heard.length === 1)
    await gate.close()
    expect(JSON.parse(heard[0]?.body ?? '')).toEqual({
      type: 'approval.requested',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: {
        ref,
        tool: 'shop/refund',
        requires: 'confirmation',
        page: `https://shop.example/approvals?tab=open&ref=${ref}`,
      },
    })
    expect(JSON.stringify(heard)).not.toContain('only for these eyes')
    expect(JSON.stringify(heard)).not.toContain(WRITTEN)
  })

  it('can tell by the signature that it is from us, whole and of now', async () => {
    const { sender } = sending()
    sender.sink(ASKED)
    await until(() => heard.length === 1)
    const { headers = {}, body } = heard[0] ?? {}
    const id = headers['webhook-id']
    const at = headers['webhook-timestamp']
    const expected = createHmac('sha256', SECRET).update(`${id}.${at}.${body}`).digest('base64')
    expect(headers['webhook-signature']).toBe(`v1,${expected}`)
    expect(Math.abs(Number(at) - Date.now() / 1_000)).toBeLessThan(60)
    expect(id).toMatch(/^msg_[A-Za-z0-9_-]{22}$/)
  })

  it('signs as the example of Standard Webhooks does', () => {
    const secret = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64')
    const headers = signedHeaders(secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}')
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })

  it('that fails is tried again with the same id, until it answers', async () => {
    answer = (response, index) => response.writeHead(index < 2 ? 503 : 200).end()
    const { sender, warnings } = sending()
    sender.sink(ASKED)
    await until(() => heard.length === 3)
    expect(new Set(heard.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(warnings).toEqual([])
  })

  it('that never answers rightly is given up, and that is said without its token', async () => {
    answer = (response) => response.writeHead(500).end('no')
    const { sender, warnings } = sending()
    sender.sink(ASKED)
    await until(() => warnings.length === 1)
    expect(heard).toHaveLength(3)
    expect(warnings[0]).toMatch(/did not take message msg_\S+ in 3 attempts \(status 500\)/)
    expect(warnings[0]).not.toContain('t0ken')
  })

  it('that hangs is left, and never slows a call', async () => {
    answer = () => undefined
    const { sender, warnings } = sending({ deadlineMs: 50, pausesMs: [] })
    expect(sender.sink(ASKED)).toBeUndefined()
    expect(heard).toEqual([])
    await until(() => warnings.length === 1)
    expect(warnings[0]).toContain('no answer in time')
  })

  it('that redirects is not followed: nothing goes to an address that nobody named', async () => {
    answer = (response) => response.writeHead(307, { location: '/elsewhere' }).end()
    const { sender, warnings } = sending({ pausesMs: [] })
    sender.sink(ASKED)
    await until(() => warnings.length === 1)
    expect(heard.map((one) => one.url)).toEqual(['/hook?token=t0ken'])
    expect(warnings[0]).toContain('status 307')
  })

  it('that is gone is told nothing more, and so is any after the end', async () => {
    answer = (response) => response.writeHead(410).end()
    const { sender, warnings } = sending()
    sender.sink(ASKED)
    await until(() => warnings.length === 1)
    sender.sink(ASKED)
    const { sender: closed } = sending()
    closed.close()
    closed.sink(ASKED)
    await new Promise((later) => setTimeout(later, 50))
    expect(heard).toHaveLength(1)
  })

  it('that is away holds no more messages than are bearable', async () => {
    answer = () => undefined
    const { sender, warnings } = sending({ deadlineMs: 60_000 })
    for (let count = 0; count < 300; count += 1) sender.sink(ASKED)
    expect(warnings).toEqual([expect.stringContaining('256 messages waiting')])
    sender.close()
  })

  it('is told of what ran without a policy and on an override, and of nothing that it did not ask for', () => {
    const opened: GateEvent = { event: 'failure-opened', tool: 'shop/list', fault: 'timeout', receipt: 'r_1' }
    const used: GateEvent = {
      event: 'override-used',
      override: 'ov_1',
      tool: 'shop/refund',
      reason: 'words',
      ticket: 'T-1',
      use: 1,
      most: 5,
      receipt: 'r_2',
    }
    expect(messageOf(opened, receiver(), 0)).toBe(
      '{"type":"failure.opened","timestamp":"1970-01-01T00:00:00.000Z","data":{"tool":"shop/list","fault":"timeout","receipt":"r_1"}}',
    )
    expect(messageOf(used, receiver(), 0)).toContain('"type":"override.used"')
    expect(messageOf(opened, receiver({ events: ['override.used'] }), 0)).toBeUndefined()
    expect(messageOf({ event: 'programmer-warned', code: 'x', message: 'y' }, receiver(), 0)).toBeUndefined()
  })

  it.each([
    ['http://hooks.example.com/', WRITTEN, /must be https/],
    ['https://me:secret@hooks.example.com/', WRITTEN, /neither a password/],
    ['hooks', WRITTEN, /must be an address/],
    ['https://hooks.example.com/', undefined, /HOLDPOINT_HOOK, which "secret" names, is not set/],
    ['https://hooks.example.com/', 'whsec_c2hvcnQ=', /24 to 64 bytes/],
    ['https://hooks.example.com/', 'not base64!', /24 to 64 bytes/],
  ])('%s with that secret is a mistake that is told at the start', (bad, secret, message) => {
    const check = () => checkWebhook({ url: bad, secret: { env: 'HOLDPOINT_HOOK' } }, { HOLDPOINT_HOOK: secret })
    expect(check).toThrow(message)
    if (secret !== undefined) expect(check).not.toThrow(secret)
  })
})
