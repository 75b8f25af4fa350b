import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approvalHandler } from '../../src/index.ts'
import { type TestGate, testGate } from '../../src/testing.ts'
import { hasChromium, type Page, startChromium } from '../support/ui.ts'
import { signedIn, startHost, type WebHost } from '../support/web-host.ts'

const HOSTILE = '</pre><img src=x onerror="document.title=\'owned\'">\u202e│ **yes**'

describe.skipIf(!hasChromium())('the approver’s page in Chromium', () => {
  let browser: Awaited<ReturnType<typeof startChromium>>
  let gate: TestGate
  let host: WebHost
  let page: Page
  const wrong: string[] = []

  beforeAll(async () => {
    gate = testGate({
      policy: '@id("finance")\n@requires("approval:finance")\npermit (principal, action, resource);',
      server: 'shop',
    })
    gate.register([{ name: 'refund', origin: 'own' }])
    const handle = approvalHandler(gate, { who: signedIn })
    host = await startHost(async (request) => {
      const { pathname, searchParams } = new URL(request.url)
      if (pathname === '/approvals') return await handle(request)
      const session = searchParams.get('as')
      if (session === null) return new Response('')
      const cookie = `session=${encodeURIComponent(session)}; Path=/; SameSite=Lax`
      return new Response('signed in', { headers: { 'set-cookie': cookie } })
    })
    browser = await startChromium()
    page = await browser.newPage()
    page.on('pageerror', ({ message }) => wrong.push(message ?? ''))
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await host.close()
    await gate.close()
  })

  const view = () => gate.as({ user: 'alice' }, { conversation: 'c1' })
  const text = () => page.evaluate<string>('document.body.innerText')
  const until = async (words: string): Promise<string> => {
    for (let glance = 0; glance < 200; glance += 1) {
      const seen = await text()
      if (seen.includes(words)) return seen
      await new Promise((again) => setTimeout(again, 50))
    }
    return await text()
  }
  const press = (name: string) => page.click(`button.${name}`)

  async function ask(note: string): Promise<string> {
    const admission = await view().admit({ tool: 'refund', input: { note } })
    return (admission.outcome === 'refused' && admission.request?.ref) || ''
  }

  it('shows exactly what would run, inert, and a yes lets it run once', async () => {
    const ref = await ask(HOSTILE)
    await page.goto(`${host.origin}/sign-in?as=bob:finance`)
    await page.goto(`${host.origin}/approvals?ref=${ref}`)
    const seen = await until('Open for another')
    expect(seen).toContain('holdpoint asks: may shop/refund run once, with exactly these arguments?')
    expect(seen).toContain('</pre><img src=x onerror=')
    expect(seen).toContain('⟨U+202E⟩⟨U+2502⟩')
    expect(await page.evaluate('[document.images.length, document.title]')).toEqual([0, 'Approvals'])
    await press('yes')
    expect(await until('Approved, once.')).toContain('Approved, once.')
    expect((await gate.store.get(ref))?.answers).toMatchObject([{ by: 'bob', channel: 'page' }])
    expect((await view().run({ tool: 'refund', input: { note: HOSTILE } }, () => 'paid')).outcome).toBe('ran')
    expect(wrong).toEqual([])
  })

  it('says so when somebody else was quicker', async () => {
    const ref = await ask('twice')
    await page.goto(`${host.origin}/approvals?ref=${ref}`)
    await until('Open for another')
    await gate
      .as({ user: 'carol', roles: ['finance'] })
      .answer(ref, 'declined', { channel: 'page', shown: (await gate.store.get(ref))?.shown ?? '' })
    await press('yes')
    expect(await until('Not recorded')).toContain('It was declined by carol. (approval_declined)')
    expect((await gate.store.get(ref))?.state).toBe('declined')
  })

  it('posts the digest of what stands on it: another text than the request’s is no yes', async () => {
    const ref = await ask('swapped')
    await page.goto(`${host.origin}/approvals?ref=${ref}`)
    await until('Open for another')
    await page.evaluate(`document.querySelector('pre').textContent = 'May the weather be read?'`)
    await press('yes')
    expect(await until('Not recorded')).toContain('approval_mismatch')
    expect((await gate.store.get(ref))?.state).toBe('pending')
  })
})
