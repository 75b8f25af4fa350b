import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ChatMessage } from '../../../adapters/react/calls.ts'
import { axeSource, bundledPage, type Page, startChromium } from '../../support/ui.ts'

/** What the page is given. */
export interface Shown {
  readonly messages: readonly ChatMessage[]
  readonly trustedKeys?: readonly object[]
  readonly timeline?: boolean
  readonly approver?: boolean
  readonly answering?: 'at once' | 'never' | 'fails'
}

/** A page with our components, in a real browser. */
export interface Gallery {
  readonly page: Page
  /** What the page complained of: errors of scripts, and of React on the console. */
  readonly wrong: readonly string[]
  show(shown: Shown): Promise<void>
  close(): Promise<void>
}

const STYLE = new URL('../../../adapters/react/style.css', import.meta.url)
const PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>gallery</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/style.css">
<style>:root{color-scheme:light dark}body{margin:16px;font-family:system-ui,sans-serif;background:light-dark(#fafafa,#101214)}h1{position:absolute;clip-path:inset(50%)}</style>
</head><body><main><h1>Chat</h1><div id="root"></div></main><script>window.shown=SHOWN</script><script type="module" src="/gallery-page.js"></script></body></html>`

/** Opens the gallery with one major of React. */
export async function openGallery(react: 18 | 19): Promise<Gallery> {
  const modules = await bundledPage('test/adapters/react/gallery-page.tsx', { react })
  let shown: Shown = { messages: [] }
  const server = createServer(({ url = '' }, answer) => {
    const name = url.slice(1)
    const script = modules.get(name)
    if (script !== undefined) answer.setHeader('content-type', 'text/javascript').end(script)
    else if (name === 'style.css') answer.setHeader('content-type', 'text/css').end(readFileSync(STYLE))
    else
      answer
        .setHeader('content-type', 'text/html')
        .end(PAGE.replace('SHOWN', () => JSON.stringify(shown).replaceAll('<', '\\u003c')))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const browser = await startChromium()
  const page = await browser.newPage()
  // A colour that is on its way to another is none to measure, and whoever wants no motion gets none.
  await page.emulateMedia({ reducedMotion: 'reduce' })
  const wrong: string[] = []
  page.on('pageerror', ({ message }) => wrong.push(message ?? ''))
  page.on('console', (said) => {
    if (Reflect.get(said, 'type')?.call(said) === 'error') wrong.push(said.text?.() ?? '')
  })
  return {
    page,
    wrong,
    show: async (next) => {
      shown = next
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      await page.waitForSelector('.hp')
    },
    close: async () => {
      await browser.close()
      server.close()
    },
  }
}

/** What the checker of accessibility finds wrong. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeSource())
  return await page.evaluate<readonly string[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`,
  )
}
