import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { axeFindings } from '../adapters/react/gallery.ts'
import { type BadLine, startBadLine } from '../support/bad-line.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { hasChromium, type Page, startChromium } from '../support/ui.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
/** Where pictures go, when somebody wants them: the docs show them. */
const SCREENSHOTS = process.env['HOLDPOINT_SCREENSHOTS']
const SIZE = { width: 1000, height: 760 }

const folder = temporaryFolders()

// A whole app and a browser: on a busy machine its longest story takes a third of this.
describe.skipIf(!hasChromium())('the chat of examples/chat, in Chromium', { timeout: 60_000 }, () => {
  let server: ChildProcess
  let line: BadLine
  let browser: Awaited<ReturnType<typeof startChromium>>
  let page: Page
  let otherTab: Page
  const wrong: string[] = []

  beforeAll(async () => {
    server = spawn(process.execPath, ['examples/chat/main.ts'], {
      cwd: ROOT,
      env: { ...process.env, HOLDPOINT_STATE: folder(), OPENAI_API_KEY: '', PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    if (server.stdout === null) throw new Error('the chat says nothing')
    const [first] = await once(createInterface(server.stdout), 'line')
    line = await startBadLine(/http:\S+/.exec(String(first))?.[0] ?? '')
    browser = await startChromium()
    const person = await browser.newContext()
    page = await person.newPage()
    await page.setViewportSize(SIZE)
    page.on('pageerror', ({ message }) => wrong.push(message ?? ''))
    await page.goto(line.url)
    await page.waitForSelector('form input')
    otherTab = await person.newPage()
  }, 90_000)
  afterAll(async () => {
    await browser?.close()
    line?.close()
    server?.kill('SIGTERM')
  })

  const count = (selector: string, tab = page) =>
    tab.evaluate<number>(`document.querySelectorAll(${JSON.stringify(selector)}).length`)
  const lastCard = (tab = page) =>
    tab.evaluate<string>("[...document.querySelectorAll('.talk .hp-card')].at(-1).textContent")
  const refunded = async (order: string, tab = page) => await tab.textContent(`[data-order=${order}] .refunded`)
  const refundedIs = async (order: string, sum: string, tab = page): Promise<void> => {
    await tab.waitForSelector(`[data-order=${order}] .refunded:text-is("${sum}")`)
  }
  const type = async (text: string): Promise<void> => {
    await page.waitForSelector('.talk[aria-busy=false]')
    await page.fill('form input', text)
    await page.keyboard.press('Enter')
  }
  /** Says something, and waits until the assistant has ended its turn or asks. */
  const say = async (text: string, until: string): Promise<void> => {
    const cards = await count('.talk .hp-card')
    await type(text)
    await page.waitForSelector(`:nth-match(.talk .hp-card, ${cards + 1})`)
    await page.waitForSelector(until)
    await page.waitForSelector('.talk[aria-busy=false]')
  }
  const lastSays = (words: string) => `.talk > ol > li:last-child p:text("${words}")`
  const shoot = async (name: string): Promise<void> => {
    if (SCREENSHOTS === undefined) return
    // From what was said last to the end of what became of it.
    await page.setViewportSize({ width: 636, height: 900 })
    await page.evaluate(
      "scrollTo(0, [...document.querySelectorAll('.own')].at(-1).offsetTop - 10); new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))",
    )
    const bottom = "document.querySelector('.talk > ol').getBoundingClientRect().bottom"
    const height = Math.ceil(await page.evaluate<number>(bottom)) + 12
    const clip = { x: 0, y: 0, width: 636, height }
    await page.screenshot({ path: path.join(SCREENSHOTS, `chat-${name}.png`), clip })
    await page.setViewportSize(SIZE)
  }

  it('reads run, and so do small refunds', async () => {
    await say('Where is A-1042?', lastSays('649.00 EUR paid, 0.00 EUR refunded'))
    await say('Refund 40 EUR of A-1042', lastSays('40.00 EUR refunded'))
    await refundedIs('A-1042', '40.00')
  })

  it('a large refund asks in the chat, and runs once after a double click on yes', async () => {
    await say('Refund 200 EUR of A-1042', '.talk .hp-approve')
    expect(await lastCard()).toContain('It would run with exactly these arguments"amount":200"order":"A-1042"')
    expect(await lastCard()).toContain('high because the operator says so (holdpoint.yaml:6)')
    expect(await refunded('A-1042')).toBe('40.00')
    // The question is in sight without scrolling, above the line to write in.
    const [question, form] = await page.evaluate<readonly number[]>(
      "['.hp-approve', 'form'].map((each) => document.querySelector(each).getBoundingClientRect().top)",
    )
    expect(question).toBeLessThan(form ?? 0)
    await shoot('asking')
    await page.dblclick('.talk .hp-approve')
    await page.waitForSelector(lastSays('240.00 EUR refunded'))
    await refundedIs('A-1042', '240.00')
    expect(await lastCard()).toMatch(/^Ran/)
  })

  it('it runs once when two tabs approve at the same moment, and both say so', async () => {
    await say('Refund 350 EUR of A-1043', '.talk .hp-approve')
    // The other tab has the question out of what the server stored.
    await otherTab.goto(line.url)
    await otherTab.waitForSelector('.talk .hp-approve')
    await Promise.all([page.click('.talk .hp-approve'), otherTab.click('.talk .hp-approve')])
    for (const tab of [page, otherTab]) {
      await tab.waitForSelector('.talk[aria-busy=false]:not(:has(.hp-buttons))')
      await refundedIs('A-1043', '350.00', tab)
      // Whoever comes second hears of the same run while it lasts, and afterwards that it has been.
      expect(await lastCard(tab)).toMatch(/^(Ran|Did not run again)/)
    }
  })

  it('what was said is there after a reload, and says what became of the call', async () => {
    for (const tab of [page, otherTab]) {
      await tab.goto(line.url)
      await tab.waitForSelector('.talk .hp-card')
      expect(await lastCard(tab)).toMatch(/^Ran/)
      expect(await count('.talk .own', tab)).toBe(4)
    }
    await refundedIs('A-1043', '350.00')
  })

  it('a forbidden refund is refused with its constraint', async () => {
    await say('Refund 900 EUR of A-1043', lastSays('That did not happen'))
    const said = await lastCard()
    expect(said).toContain('Did not run')
    expect(said).toContain('Refunds above 500 EUR are made by the finance desk')
    expect(said).toContain('amountrequired at most 500was 900')
    await page.click('.talk > ol > li:last-child .hp-receipt button')
    await page.waitForSelector('.talk > ol > li:last-child [data-state=verified]')
    await shoot('refused')
  })

  it('the page is without a finding of axe, light and dark, and fits a phone', async () => {
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      expect(await axeFindings(page)).toEqual([])
    }
    await page.setViewportSize({ width: 340, height: 600 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(340)
    await page.setViewportSize(SIZE)
  })

  it('with the policy service off a read says that nobody checked it, and nothing is paid', async () => {
    await page.click('.service button')
    await page.waitForSelector('.service [data-on=false]')
    await say('Where is A-1041?', '.talk > ol > li:last-child > p')
    expect(await lastCard()).toContain('Ran without a check.')
    await shoot('unchecked')
    await say('Refund 20 EUR of A-1041', lastSays('That did not happen'))
    expect(await lastCard()).toContain('Did not run')
    expect(await refunded('A-1041')).toBe('0.00')
    await page.click('.service button')
    await page.waitForSelector('.service [data-on=true]')
  })

  it('a page that is opened again in the middle of an answer hears the rest of it, once', async () => {
    await type('What are the rules?')
    await page.waitForSelector(lastSays('refunded in part'))
    const early = (await page.textContent('.talk > ol > li:last-child')) ?? ''
    await page.goto(line.url)
    await page.waitForSelector(lastSays('verified in your browser.'))
    const whole = (await page.textContent('.talk > ol > li:last-child')) ?? ''
    expect(whole.startsWith(early)).toBe(true)
    expect(whole.length).toBeGreaterThan(early.length)
    expect(whole.split('An order can be refunded')).toHaveLength(2)
  })

  it('an answer whose connection breaks says so, and goes on when the line is back', async () => {
    line.cutAfter('"part "')
    await type('What are the rules?')
    await page.waitForSelector('.talk [role=status]:text("The connection is lost")')
    line.mend()
    await page.waitForSelector('.talk [role=status]:text("lost for a moment")')
    await page.waitForSelector(lastSays('verified in your browser.'))
    const whole = (await page.textContent('.talk > ol > li:last-child')) ?? ''
    expect(whole.split('An order can be refunded')).toHaveLength(2)
    expect(await count('.talk .own')).toBe(9)
  })

  it('a call whose answer is cut off has run once, and is shown as run', async () => {
    line.cutAfter('tool-output-available')
    await type('Refund 30 EUR of A-1041')
    await page.waitForSelector('.talk [role=status]:text("The connection is lost")')
    line.mend()
    await page.waitForSelector(lastSays('30.00 EUR refunded'))
    expect(await lastCard()).toMatch(/^Ran/)
    await refundedIs('A-1041', '30.00')
  })

  it('an approved call whose page is opened again while it is told of has run once, and is shown as run', async () => {
    await say('Refund 120 EUR of A-1041', '.talk .hp-approve')
    await page.click('.talk .hp-approve')
    await page.waitForSelector(lastSays('Done.'))
    await page.goto(line.url)
    await page.waitForSelector(lastSays('150.00 EUR refunded'))
    await page.waitForSelector(lastSays('can check it.'))
    expect(await count('.talk > ol > li:last-child :is(.hp-card, p:not([class]))')).toBe(2)
    expect(await lastCard()).toMatch(/^Ran/)
    await refundedIs('A-1041', '150.00')
  })

  it('what never arrived did not run: the words come back to be said again, the question to be answered again', async () => {
    line.cut()
    await type('Refund 10 EUR of A-1042')
    await page.waitForSelector('.talk [role=status]:text("The connection is lost")')
    line.mend()
    await page.waitForSelector('.talk [role=status]:text("did not arrive")')
    expect(await page.evaluate("document.querySelector('form input').value")).toBe('Refund 10 EUR of A-1042')
    expect(await refunded('A-1042')).toBe('240.00')
    await say('Refund 110 EUR of A-1042', '.talk .hp-approve')
    line.cut()
    await page.click('.talk .hp-approve')
    await page.waitForSelector('.talk [role=status]:text("The connection is lost")')
    line.mend()
    await page.waitForSelector('.talk .hp-approve')
    expect(await refunded('A-1042')).toBe('240.00')
    await page.click('.talk .hp-approve')
    await page.waitForSelector(lastSays('350.00 EUR refunded'))
    await refundedIs('A-1042', '350.00')
    expect(wrong).toEqual([])
  })
})
