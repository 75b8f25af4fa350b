import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approvalHandler } from '../../src/index.ts'
import { type TestGate, testGate } from '../../src/testing.ts'
import type { Passkey } from '../../src/types.ts'
import { authenticator, challengeOf } from '../support/passkeys.ts'
import { askedBy, fateOf, refundOf, shop } from '../support/refunds.ts'
import { hasChromium, type Page, startChromium } from '../support/ui.ts'
import { signedIn, startHost, type WebHost } from '../support/web-host.ts'

const bobs = authenticator('bob')

describe('a passkey over HTTP', () => {
  const ready = async () => {
    const approvals = { passkeys: [bobs.passkey], requirePasskey: 'high' } as never
    const { gate, alice } = shop({ approvals })
    const handle = approvalHandler(gate, { who: signedIn })
    const send = async (session: string, body?: object) => {
      const headers = { origin: 'https://shop.example.com', 'content-type': 'application/json', 'x-session': session }
      const terms = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
      const response = await handle(new Request('https://shop.example.com/approvals', { headers, ...terms }))
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    }
    return { gate, alice, send, request: await askedBy(alice) }
  }

  it('is asked for of whoever has one, with all that it signs, and nobody else is told', async () => {
    const { request, send } = await ready()
    const { credentialId, rpId, origin } = bobs.passkey
    const seen = { ref: request.ref, passkey: true }
    expect((await send('bob:finance')).body).toMatchObject({
      you: { user: 'bob' },
      passkeys: [{ credentialId, rpId, origin }],
      requests: [{ ...seen, yours: true, req: request.requestDigest }],
    })
    const carols = (await send('carol:finance')).body
    expect(carols).toMatchObject({ you: { user: 'carol' }, passkeys: [], requests: [{ ...seen, yours: false }] })
    expect(JSON.stringify(carols)).not.toContain(request.requestDigest)
  })

  it('I4: makes a yes of what it signed, once, and of nothing else', async () => {
    const { alice, request, send } = await ready()
    const { ref, shown } = request
    const yes = { ref, answer: 'approved', shown }
    const signed = bobs.sign(challengeOf(request))
    const refused = async (session: string, body: object) => {
      const { status, body: told } = await send(session, body)
      return [status, told['code']]
    }
    expect(await refused('bob:finance', yes)).toEqual([403, 'approver_not_separate'])
    const altered = { ...signed, signature: bobs.sign('AAAA').signature }
    expect(await refused('bob:finance', { ...yes, passkey: altered })).toEqual([403, 'approver_not_separate'])
    expect(await refused('carol:finance', { ...yes, passkey: signed })).toEqual([403, 'approver_not_separate'])
    const of = bobs.sign(challengeOf(request, 'declined'))
    expect(await refused('bob:finance', { ...yes, passkey: of })).toEqual([409, 'approval_mismatch'])
    for (const passkey of [null, 'yes', [], {}, { ...signed, more: 'AAAA' }, { ...signed, signature: '' }])
      expect((await send('bob:finance', { ...yes, passkey })).status).toBe(400)
    expect((await fateOf(alice)).fate).toBe('approval_pending')
    expect(await refused('bob:finance', { ...yes, passkey: signed })).toEqual([200, undefined])
    expect(await refused('bob:finance', { ...yes, passkey: signed })).toEqual([409, 'approval_mismatch'])
    expect((await fateOf(alice)).fate).toBe('ran')
  })
})

describe.skipIf(!hasChromium())('a passkey in Chromium, with an authenticator of its own', () => {
  const POLICY = '@id("finance")\n@requires("approval:finance")\npermit (principal, action, resource);'
  let browser: Awaited<ReturnType<typeof startChromium>>
  let host: WebHost
  let origin: string
  let gate: TestGate
  let page: Page
  let devices: { send<T>(method: string, terms?: object): Promise<T> }
  let device: string
  const wrong: string[] = []

  const gateWith = (passkeys: readonly Passkey[]) => {
    const approvals = passkeys.length === 0 ? {} : ({ passkeys, requirePasskey: 'all' } as never)
    const made = testGate({ policy: POLICY, server: 'shop', approvals })
    made.register([{ name: 'refund', origin: 'own' }])
    return made
  }

  beforeAll(async () => {
    gate = gateWith([])
    host = await startHost(async (request) => {
      const { pathname, searchParams } = new URL(request.url)
      if (pathname === '/approvals') return await approvalHandler(gate, { who: signedIn })(request)
      // A browser asks for an icon too.
      if (pathname !== '/sign-in') return new Response('')
      const cookie = `session=${encodeURIComponent(searchParams.get('as') ?? '')}; Path=/; SameSite=Lax`
      return new Response('signed in', { headers: { 'set-cookie': cookie } })
    })
    // An RP ID is a domain: browsers take no address for one.
    origin = host.origin.replace('127.0.0.1', 'localhost')
    browser = await startChromium()
    page = await browser.newPage()
    page.on('pageerror', ({ message }) => wrong.push(message ?? ''))
    devices = await page.context().newCDPSession(page)
    await devices.send('WebAuthn.enable')
    const options = {
      protocol: 'ctap2',
      transport: 'internal',
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    }
    const added = await devices.send<{ authenticatorId: string }>('WebAuthn.addVirtualAuthenticator', { options })
    device = added.authenticatorId
    await page.goto(`${origin}/sign-in?as=bob:finance`)
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await host.close()
    await gate.close()
  })

  const until = async (words: string): Promise<string> => {
    for (let glance = 0; glance < 200; glance += 1) {
      const seen = await page.evaluate<string>('document.body.innerText')
      if (seen.includes(words)) return seen
      await new Promise((again) => setTimeout(again, 50))
    }
    return await page.evaluate<string>('document.body.innerText')
  }
  const alice = () => gate.as({ user: 'alice' }, { conversation: 'c1' })

  it('is made on the page, printed for the operator, and signs what stands on the page', async () => {
    await page.goto(`${origin}/approvals?passkey`)
    await until('A passkey for bob')
    await page.click('button.yes')
    await until('It counts once')
    const printed = JSON.parse((await page.textContent('pre')) ?? '') as Passkey
    expect(printed).toMatchObject({ user: 'bob', rpId: 'localhost', origin })
    await gate.close()
    gate = gateWith([printed])

    const call = refundOf(900)
    const { ref } = await askedBy(alice(), call)
    await page.goto(`${origin}/approvals?ref=${ref}`)
    await until('Open for another')
    await page.fill('textarea', ' “agreed” \u{1f510} \\ ')
    await page.click('button.yes')
    expect(await until('Approved, once.')).toContain('Approved, once.')
    expect((await gate.store.get(ref))?.answers).toMatchObject([
      { by: 'bob', channel: 'webauthn', reason: '“agreed” \u{1f510} \\' },
    ])
    expect((await fateOf(alice(), call)).fate).toBe('ran')
    expect(wrong).toEqual([])
  })

  it('gives no yes to a text that was put there instead, nor one without the person', async () => {
    const { ref } = await askedBy(alice(), refundOf(901))
    await page.goto(`${origin}/approvals?ref=${ref}`)
    await until('Open for another')
    await devices.send('WebAuthn.setUserVerified', { authenticatorId: device, isUserVerified: false })
    await page.click('button.yes')
    expect(await until('Not signed')).toContain('Not signed, so nothing was recorded.')
    await devices.send('WebAuthn.setUserVerified', { authenticatorId: device, isUserVerified: true })
    await page.evaluate(`document.querySelector('pre').textContent = 'May the weather be read?'`)
    await page.click('button.yes')
    expect(await until('Not recorded')).toContain('approval_mismatch')
    expect((await gate.store.get(ref))?.state).toBe('pending')
  })
})
