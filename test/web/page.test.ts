import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approvalHandler } from '../../src/index.ts'
import { type TestGate, testGate } from '../../src/testing.ts'
import { axeFindings } from '../adapters/react/gallery.ts'
import { hasChromium, type Page, startChromium } from '../support/ui.ts'
import { signedIn, startHost, type WebHost } from '../support/web-host.ts'

/** Where pictures go, when somebody wants them: the docs show them. */
const SCREENSHOTS = process.env['HOLDPOINT_SCREENSHOTS']
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

  const shoot = async (name: string, width = 608): Promise<void> => {
    if (SCREENSHOTS === undefined) return
    await page.setViewportSize({ width, height: 80 })
    await page.setViewportSize({
      width,
      height: await page.evaluate<number>("Math.ceil(document.querySelector('main').getBoundingClientRect().bottom)"),
    })
    await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) })
    await page.setViewportSize({ width: 1280, height: 720 })
  }

  async function ask(note: string, more: object = {}, me = view()): Promise<string> {
    const admission = await me.admit({ tool: 'refund', input: { note, ...more } })
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

  it('is without a finding of axe, light and dark, wide and narrow, with what is hostile, what was approved before, and what is over', async () => {
    const over = await ask('over')
    await gate
      .as({ user: 'carol', roles: ['finance'] })
      .answer(over, 'declined', { channel: 'page', shown: (await gate.store.get(over))?.shown ?? '' })
    await ask(HOSTILE, { order: 'A-1041', amount: 900, more: 'x'.repeat(300) })
    for (const [query, words] of [
      [`?ref=${over}`, 'It is declined.'],
      ['', 'Open for another'],
      ['?passkey', 'Make a passkey'],
    ] as const) {
      await page.goto(`${host.origin}/approvals${query}`)
      await until(words)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        expect(await axeFindings(page)).toEqual([])
      }
      await page.emulateMedia({ colorScheme: 'light' })
      await page.setViewportSize({ width: 320, height: 480 })
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
      await page.setViewportSize({ width: 1280, height: 720 })
    }
    expect(wrong).toEqual([])
  })

  it('wraps a long argument behind the mark of its line, and the text stays the one that is asked about', async () => {
    const ref = await ask(HOSTILE, { order: 'A-1041', amount: 900 }, gate.as({ user: 'dora' }))
    await page.setViewportSize({ width: 608, height: 480 })
    await page.goto(`${host.origin}/approvals?ref=${ref}`)
    await until('Open for another')
    expect(await page.textContent('pre')).toBe((await gate.store.get(ref))?.question)
    const [mark, wrapped] = await page.evaluate<readonly [number, number]>(`(() => {
      const range = document.createRange()
      range.selectNodeContents(document.querySelector('.argument'))
      const lines = [...range.getClientRects()].map(({ x }) => x)
      return [lines[0], Math.min(...lines.slice(1))]
    })()`)
    expect(wrapped).toBeGreaterThan(mark)
    await shoot('approver')
    await page.emulateMedia({ colorScheme: 'dark' })
    await shoot('approver-narrow-dark', 340)
    await page.emulateMedia({ colorScheme: 'light' })
  })

  it('a keyboard is enough: the question, the reason, the answer, and what became of it', async () => {
    const ref = await ask('by keys')
    await page.goto(`${host.origin}/approvals?ref=${ref}`)
    await until('Open for another')
    const focused = () => page.evaluate<string>('document.activeElement.tagName + document.activeElement.className')
    for (const expected of ['PRE', 'TEXTAREA', 'BUTTONyes', 'BUTTONno']) {
      await page.keyboard.press('Tab')
      expect(await focused()).toBe(expected)
      if (expected === 'TEXTAREA') await page.keyboard.type('not this order')
    }
    await page.keyboard.press('Enter')
    await until('Declined. It does not run.')
    expect((await gate.store.get(ref))?.answers).toMatchObject([{ answer: 'declined', reason: 'not this order' }])
    // The focus is not lost: it is where the answer's own words are.
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Declined. It does not run.')
  })
})
