import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundledPage, hasChromium, isReact18Installed, isUiInstalled } from '../../support/ui.ts'
import { axeFindings, type Gallery, openGallery } from './gallery.ts'
import { takeScreenshots } from './screenshots.ts'
import { callStates, type StateName, type States } from './states.ts'

/** What a chat loads for the components, gzipped, in bytes, without React. More is a decision that somebody makes here. */
const MOST_GZIPPED = 11_000
/** The same of the styles. */
const MOST_STYLE_GZIPPED = 2_200

describe.skipIf(!isUiInstalled())('the components as a page loads them', () => {
  it('are no larger than it was decided, and the verifier comes only when somebody wants something verified', async () => {
    const react = ['react', 'react/jsx-runtime']
    const files = await bundledPage('adapters/react/index.ts', { external: react })
    const sizes = [...files].map(([name, text]) => [name, gzipSync(text, { level: 9 }).length] as const)
    const first = sizes.find(([name]) => name === 'index.js')?.[1] ?? 0
    const start = new TextDecoder().decode(files.get('index.js'))
    const eager = [...start.matchAll(/from"\.\/(chunk-[^"]+)"|import"\.\/(chunk-[^"]+)"/g)].map(([, a, b]) => a ?? b)
    const whole = first + sizes.filter(([name]) => eager.includes(name)).reduce((sum, [, size]) => sum + size, 0)
    console.log(`holdpoint/react is ${whole} bytes gzipped`, Object.fromEntries(sizes))
    expect(whole).toBeLessThan(MOST_GZIPPED)
    expect(start).not.toContain('holdpoint-receipt+jwt')
    const style = await bundledPage('adapters/react/style.css')
    expect(gzipSync(style.get('style.css') ?? '', { level: 9 }).length).toBeLessThan(MOST_STYLE_GZIPPED)
  })
})

const majors = [19, 18] as const

describe.skipIf(!hasChromium()).each(majors.filter((major) => major === 19 || isReact18Installed()))(
  'in Chromium, with React %i',
  (react) => {
    let gallery: Gallery
    let states: States
    const show = async (name: StateName, more: object = {}) => {
      const { trustedKeys, messages } = states
      await gallery.show({ messages: messages[name], trustedKeys, ...more })
    }
    const text = async (selector = '.hp') => (await gallery.page.textContent(selector)) ?? ''
    const sent = () => gallery.page.evaluate<readonly unknown[]>('window.sent')
    const count = (selector: string) =>
      gallery.page.evaluate<number>(`document.querySelectorAll(${JSON.stringify(selector)}).length`)
    const focused = () => gallery.page.evaluate<string>('document.activeElement.textContent')

    beforeAll(async () => {
      states = await callStates()
      gallery = await openGallery(react)
    }, 60_000)
    afterAll(async () => {
      await gallery.close()
    })

    it('every state is whole, without a finding of axe, light and dark, wide and narrow', async () => {
      const { page, wrong } = gallery
      await gallery.show({ messages: Object.values(states.messages).flat(), trustedKeys: states.trustedKeys })
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        expect(await axeFindings(page)).toEqual([])
      }
      const moving =
        "[...document.querySelectorAll('.hp *')].filter((e) => getComputedStyle(e).transitionDuration !== '0s')"
      expect(await page.evaluate(`${moving}.length`)).toBe(0)
      await page.setViewportSize({ width: 320, height: 480 })
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
      await page.setViewportSize({ width: 640, height: 480 })
      expect(await count('.hp-card')).toBe(Object.keys(states.messages).length)
      expect(wrong).toEqual([])
      const folder = process.env['HOLDPOINT_SCREENSHOTS']
      if (folder !== undefined && react === 19) await takeScreenshots(gallery, states, folder)
    }, 120_000)

    it('a refusal says that it did not run, what was attempted, what was required, what was there, and what is next', async () => {
      await show('refused')
      const said = await text()
      for (const part of [
        'Did not run',
        'shop/wire',
        'Transfers above 500 EUR are not made by an assistant.',
        'amountrequired at most 500was 900',
        '"order":"A-1041"',
        'Next This call will not pass as it is.',
        'Not checked yet',
      ])
        expect(said).toContain(part)
    })

    it('its receipt verifies on a click; without keys, and beside other words, it never looks verified', async () => {
      const verify = async (name: StateName, more: object = {}) => {
        await show(name, more)
        await gallery.page.click('.hp-receipt button')
        await gallery.page.waitForSelector('.hp-receipt:not([data-state=checking]):not([data-state=unchecked])')
        const colour = await gallery.page.evaluate<string>(
          "getComputedStyle(document.querySelector('.hp-receipt-state')).color",
        )
        return { said: await text('.hp-receipt-state'), colour, green: await count('[data-state=verified]') }
      }
      await gallery.page.emulateMedia({ colorScheme: 'light' })
      const good = await verify('refused')
      expect(good).toMatchObject({ said: 'Verified in this browser', green: 1 })
      const bad = [await verify('forged'), await verify('refused', { trustedKeys: [] })]
      expect(bad).toMatchObject([
        { said: 'Does not verify: it tells of a call of shop/read_order', green: 0 },
        { said: 'Not established: this app names no key that it trusts', green: 0 },
      ])
      for (const { colour } of bad) expect(colour).not.toBe(good.colour)
    })

    it('an approval is asked for with exactly the arguments, and what differs from before', async () => {
      await show('asking-again')
      const said = await text()
      expect(said).toContain('May this run once?')
      expect(said).toContain('Refunds above 500 EUR need your yes.')
      expect(await text('.hp-arguments .hp-lines')).toBe(
        '"amount":900"currency":"EUR""order":"A-1041""reason":"parcel lost"',
      )
      expect(await text('.hp-compared')).toBe(
        'before: "amount":20now: "amount":900before: "order":"A-1038"now: "order":"A-1041"',
      )
      expect(await text('[role=timer]')).toMatch(/^time left for an answer: 1?\d:\d\d left$/)
    })

    it('hostile arguments are seen for what they are: nothing hidden, reordered, drawn as markup or pushed away', async () => {
      await show('hostile')
      const said = await text('.hp-arguments .hp-lines')
      expect(said).toContain('for ⟨U+202E⟩gnihton⟨U+202C⟩ and⟨U+200B⟩ ⟨U+2066⟩more⟨U+2069⟩⟨U+00A0⟩<img src=x')
      expect(said).toContain('**bold** [click](javascript:owned)\\n\\n\\n')
      expect(said).toContain('safe⟨300 blanks⟩\\",\\"amount\\":1"')
      expect(await count('.hp img, .hp a, .hp b, .hp-lines strong')).toBe(0)
      expect(await gallery.page.evaluate('window.owned === undefined')).toBe(true)
      // Hebrew letters are read from right to left, and the figures beside them stay where the text has them.
      const xs = await gallery.page.evaluate<readonly number[]>(`(() => {
        const line = [...document.querySelectorAll('.hp-lines li')].at(-1)
        const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT)
        const found = []
        for (let node = walker.nextNode(); node; node = walker.nextNode())
          for (const sign of ['א', 'ב', 'A', '7']) {
            const at = node.data.indexOf(sign)
            if (at < 0) continue
            const range = document.createRange()
            range.setStart(node, at)
            range.setEnd(node, at + 1)
            found.push([sign, range.getBoundingClientRect().x])
          }
        const x = Object.fromEntries(found)
        return ['ב', 'א', 'A', '7'].map((sign) => x[sign])
      })()`)
      expect(xs).toEqual([...xs].sort((a, b) => a - b))
    })

    it('a double click, and a second click before the server answers, send one answer', async () => {
      await show('asking', { answering: 'never' })
      await gallery.page.dblclick('.hp-approve')
      await gallery.page.waitForSelector('.hp-said[data-state=sending]')
      expect(await count('.hp-buttons button')).toBe(0)
      expect(await sent()).toEqual([{ id: expect.stringMatching(/^hp_/), approved: true }])

      // On an approver's own page there is no chat that remembers either.
      await show('refused-role', { approver: true })
      expect(await text()).toContain('For user alice. It takes the yes of somebody in the role finance.')
      await gallery.page.evaluate(
        "(() => { const [a, b] = document.querySelectorAll('.hp-buttons button'); a.click(); b.click(); a.click() })()",
      )
      await gallery.page.waitForSelector('.hp-said[data-state=sent]')
      expect(await sent()).toHaveLength(1)
    })

    it('a keyboard is enough: reason, decline, and the focus is not lost', async () => {
      await show('asking')
      const { keyboard } = gallery.page
      await keyboard.press('Tab')
      await keyboard.type('too much')
      await keyboard.press('Tab')
      expect(await focused()).toBe('Approve')
      await keyboard.press('Tab')
      expect(await focused()).toBe('Decline')
      await keyboard.press('Enter')
      await gallery.page.waitForSelector('.hp-said[data-state=sent]')
      expect(await sent()).toEqual([{ id: expect.stringMatching(/^hp_/), approved: false, reason: 'too much' }])
      expect(await focused()).toBe('You declined. It did not run.')
    })

    it('Enter in the reason answers nothing', async () => {
      await show('asking')
      await gallery.page.fill('.hp-reason input', 'hm')
      await gallery.page.keyboard.press('Enter')
      expect(await sent()).toEqual([])
      expect(await count('.hp-approve')).toBe(1)
    })

    it('an answer that could not be sent is said to be, and can be sent again', async () => {
      await show('asking', { answering: 'fails' })
      await gallery.page.click('.hp-approve')
      await gallery.page.waitForSelector('.hp-said[data-state=failed][role=alert]')
      expect(await text('.hp-said')).toBe('Your answer was not taken: the server is away')
      await gallery.page.click('.hp-approve')
      await gallery.page.waitForSelector('.hp-said[data-state=failed]')
      expect(await sent()).toHaveLength(2)
    })

    it('what ran out cannot be answered, and what cannot be read is shown as unknown', async () => {
      await show('expired')
      expect(await count('.hp-buttons button')).toBe(0)
      expect(await text()).toContain('Not answered: did not run')
      await show('unknown-version')
      expect(await text()).toContain('in version 7, which this page does not know')
      expect(await text()).not.toContain('Did not run')
    })

    it('a call that ran unchecked or otherwise than asked for does not look like one that simply ran', async () => {
      for (const [name, said] of [
        ['failed-open', 'Ran without a check.'],
        ['changed', 'limit was 5000 is now 50'],
        ['changed', 'Parts of the result are withheld.'],
        ['dry-run', 'dryRun is now true'],
        ['held', 'Was held. This call waited until the policies could be asked again.'],
        ['override', 'Ran on an override. No policy answered for this call'],
        ['failed', 'Ran, and failed'],
        ['observed', 'It would have been refused: Transfers above 500 EUR'],
        ['ungated', 'Ran outside of the gate'],
      ] as const) {
        await show(name)
        expect(await text()).toContain(said)
        expect(await count('.hp[data-tone=notice]')).toBe(1)
      }
      for (const name of ['ran', 'running'] as const) {
        await show(name)
        expect(await count(`.hp[data-tone=${name}]`)).toBe(1)
      }
    })

    it('a timeline lists every call, and verifies all their receipts', async () => {
      const { refused, asking, ran, forged, 'unknown-version': unknown } = states.messages
      const messages = [refused, asking, ran, forged, unknown].flat()
      await gallery.show({ messages, trustedKeys: states.trustedKeys, timeline: true })
      expect(await count('.hp-timeline li')).toBe(5)
      expect(await text()).not.toContain('verify.')
      await gallery.page.click('.hp-timeline-foot button')
      await gallery.page.waitForSelector('.hp-check[data-state=verified]')
      expect(await text('.hp-timeline-foot [role=status]')).toBe('3 of 4 calls have receipts that verify.')
      expect(await count('.hp-check[data-state=failed]')).toBe(1)
      expect(await axeFindings(gallery.page)).toEqual([])
      expect(gallery.wrong).toEqual([])
    })
  },
)
