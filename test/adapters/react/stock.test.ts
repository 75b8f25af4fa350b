import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GuardOptions, holdpointDataSchema } from '../../../adapters/ai-sdk/index.ts'
import { hasChromium, startChromium, type Page as Tab } from '../../support/ui.ts'
import { sdkOf } from '../ai-sdk/sdk.ts'
import { ORDER, type Page, type StockApp, startStockApp, type Wish } from './stock-app.ts'

const SCREENSHOTS = process.env['HOLDPOINT_SCREENSHOTS']
const REFUSED =
  /It did not run\. Transfers above 500 EUR are not made by an assistant\. \(amount: at most 500, was 900\) The same call will not pass again\. Change the arguments or do without it\. \(denied_by_policy, receipt r_[0-9a-z]+\)/
/** What belongs into receipts, and before no person's eyes in a chat that does not know it. */
const OURS = /eyJ|"jws"|signature|refusal\/v1|"receipts"|"argumentsText"/

describe.skipIf(!hasChromium())('chats that know nothing of holdpoint, in Chromium', () => {
  let app: StockApp
  let browser: Awaited<ReturnType<typeof startChromium>>
  let tab: Tab
  const wrong: string[] = []

  beforeAll(async () => {
    app = await startStockApp()
    browser = await startChromium()
    tab = await browser.newPage()
    await tab.setViewportSize({ width: 560, height: 420 })
    tab.on('pageerror', ({ message }) => wrong.push(message ?? ''))
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await app?.close()
  })

  const open = async (page: Page, options: GuardOptions = {}): Promise<void> => {
    await tab.goto(`${app.url}${page}?options=${encodeURIComponent(JSON.stringify(options))}`)
    await tab.waitForSelector('textarea')
  }
  const idle = async (): Promise<void> => {
    await tab.waitForSelector('main:not(:has(output))')
  }
  /** A new chat, in which somebody wishes for one thing. */
  const say = async (page: Page, wish: Wish, options: GuardOptions = {}): Promise<void> => {
    app.stored = []
    app.ran.length = 0
    await open(page, options)
    await tab.fill('textarea', wish)
    await tab.click('text=Send')
    await tab.waitForSelector('.call')
    await tab.waitForSelector(wish === 'refund' ? '.call button' : '.message :text-is("done")')
    await idle()
  }
  const answer = async (button: 'Allow' | 'Deny'): Promise<void> => {
    await tab.click(`.call button:text-is("${button}")`)
    await tab.waitForSelector('.message :text-is("done")')
    await idle()
  }
  const call = async (): Promise<string> => (await tab.textContent('.call')) ?? ''
  const messages = () =>
    tab.evaluate<readonly string[]>("[...document.querySelectorAll('.message')].map(({ textContent }) => textContent)")
  /** The whole chat shows nothing of ours; what the app stored is valid, and shows the same again. */
  const isClean = async (page: Page, options: GuardOptions = {}): Promise<void> => {
    const shown = await messages()
    expect(shown.join('\n')).not.toMatch(OURS)
    const stored = JSON.parse(JSON.stringify(app.stored))
    const valid = await sdkOf(7).validateUIMessages({
      messages: stored,
      dataSchemas: { holdpoint: holdpointDataSchema },
    })
    expect(valid).toEqual(stored)
    await open(page, options)
    await tab.waitForSelector('.call')
    expect(await messages()).toEqual(shown)
  }
  const shoot = async (name: string): Promise<void> => {
    if (SCREENSHOTS === undefined) return
    await tab.setViewportSize({ width: 560, height: 80 })
    const bottom = await tab.evaluate<number>(
      "Math.ceil(document.querySelector('form').getBoundingClientRect().bottom)",
    )
    await tab.setViewportSize({ width: 560, height: bottom + 8 })
    await tab.screenshot({ path: join(SCREENSHOTS, `${name}.png`) })
    await tab.setViewportSize({ width: 560, height: 420 })
  }

  describe('a plain useChat', () => {
    it('shows a permitted call as one that ran', async () => {
      await say('plain', 'look_up')
      expect(await call()).toBe('look_up ran: {"ok":true}')
      expect(app.ran).toEqual([ORDER])
      await isClean('plain')
    })

    it.each([
      ['as a denial', {}, 'wire was denied. '],
      ['as a denial, said to be', { refusalAs: 'denied' }, 'wire was denied. '],
      ['as an error where the app wants that', { refusalAs: 'error' }, 'wire failed: '],
      ['as an error for a client of major 6', { client: 6 }, 'wire failed: '],
    ] as const)('shows a refused call %s, and says that it did not run and why', async (_, options, begins) => {
      await say('plain', 'wire', options)
      const shown = await call()
      expect(shown.startsWith(begins)).toBe(true)
      expect(shown.slice(begins.length)).toMatch(REFUSED)
      expect(shown).not.toMatch(/[{}]/)
      expect(app.ran).toEqual([])
      await isClean('plain', options)
    })

    it('shows a refusal as the result where the app wants that: with the sentence on top, and without a receipt’s text', async () => {
      await say('plain', 'wire', { refusalAs: 'result' })
      const output = JSON.parse((await call()).slice('wire ran: '.length))
      expect(output).toMatchObject({ error: 'Transfers above 500 EUR are not made by an assistant.', executed: false })
      expect(JSON.stringify(output)).not.toMatch(/eyJ|"jws"|signature/)
      expect(app.ran).toEqual([])
    })

    it('asks with the reason and the arguments, runs once after a yes, and not after a no', async () => {
      await say('plain', 'refund')
      expect(await call()).toMatch(
        /^refund wants to run with \{"order":"A-1041","amount":900\}: Refunds above 500 EUR need your yes\. \(approval_required, reference hp_[0-9a-z]{8}, receipt r_[0-9a-z]+\)/,
      )
      expect(app.ran).toEqual([])
      await isClean('plain')
      await answer('Allow')
      expect(await call()).toBe('refund ran: {"ok":true}')
      expect(app.ran).toEqual([ORDER])
      await isClean('plain')

      await say('plain', 'refund')
      await answer('Deny')
      expect(await call()).toContain('refund was denied.')
      expect(app.ran).toEqual([])
      await isClean('plain')
    })

    it('shows a call that nobody checked as one that ran, and the model is told to say so', async () => {
      await say('plain', 'peek')
      expect(await call()).toBe('peek ran: {"ok":true}')
      expect(app.prompts).toContain('Note from holdpoint: no policy answered for this call.')
      await isClean('plain')
    })
  })

  describe('assistant-ui', () => {
    const result = async () => JSON.parse((await tab.textContent('.result')) ?? '')

    it('shows a permitted call as one that was used', async () => {
      await say('assistant-ui', 'look_up')
      expect(await call()).toContain('Used tool: look_up')
      expect(await result()).toEqual({ ok: true })
      await isClean('assistant-ui')
    })

    it.each([
      ['a denial', {}],
      ['an error', { refusalAs: 'error' }],
    ] as const)(
      'shows a refused call that is told as %s with one sentence, which says that it did not run',
      async (_, options) => {
        await say('assistant-ui', 'wire', options)
        expect(await result()).toEqual({ error: expect.stringMatching(REFUSED) })
        expect(app.ran).toEqual([])
        await isClean('assistant-ui', options)
        await tab.click('summary')
        await shoot('assistant-ui-refused')
      },
    )

    it('asks with the arguments, runs once after a yes, and not after a no', async () => {
      await say('assistant-ui', 'refund')
      expect(await tab.textContent('.call[open] pre')).toBe('{"order":"A-1041","amount":900}')
      await shoot('assistant-ui-asking')
      await isClean('assistant-ui')
      await answer('Allow')
      expect(await result()).toEqual({ ok: true })
      expect(app.ran).toEqual([ORDER])
      await isClean('assistant-ui')

      await say('assistant-ui', 'refund')
      await answer('Deny')
      expect(Object.keys(await result())).toEqual(['error'])
      expect(app.ran).toEqual([])
      await isClean('assistant-ui')
    })

    it('shows a call that nobody checked as one that was used', async () => {
      await say('assistant-ui', 'peek')
      expect(await result()).toEqual({ ok: true })
      await isClean('assistant-ui')
    })

    it('draws our cards where the app gives them the part `data-holdpoint`', async () => {
      const wish = async (text: Wish, until: string): Promise<void> => {
        await tab.fill('textarea', text)
        await tab.click('text=Send')
        await tab.waitForSelector(until)
      }
      app.stored = []
      app.ran.length = 0
      await open('assistant-ui-cards')
      await wish('refund', '.hp-approve')
      await shoot('assistant-ui-cards')
      await tab.click('.hp-approve')
      await tab.waitForSelector('.hp[data-tone=ran]')
      expect(app.ran).toEqual([ORDER])
      await wish('wire', '.hp[data-tone=refused]')
      expect(await tab.textContent('.hp[data-tone=refused]')).toContain('Did not run')
      expect(wrong).toEqual([])
    })
  })
})
