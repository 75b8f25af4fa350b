import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { guardTools, respond } from '../../../adapters/ai-sdk/index.ts'
import { type TestGate, testGate } from '../../../src/testing.ts'
import { ASK, PERMIT, scriptedPoint } from '../../support/scripted-point.ts'
import { bundledPage, hasChromium, type Page, startChromium } from '../../support/ui.ts'
import { said, scriptedModel, sdkOf, type UiMessage } from '../ai-sdk/sdk.ts'

const PAGE = `<!doctype html><html lang="en"><head><title>chat</title><link rel="stylesheet" href="/style.css"></head>
<body><main id="root"></main><script type="module" src="/chat-page.js"></script></body></html>`

/** A real gate behind a real chat: the app's server, and what it stores. */
class App {
  readonly gate: TestGate = testGate({
    policy: scriptedPoint((request) => (request.context.approval.confirmed ? PERMIT : ASK)),
  })
  readonly ran: unknown[] = []
  posts = 0
  stored: readonly UiMessage[] = []
  prompts = ''

  async chat(request: IncomingMessage): Promise<Response> {
    this.posts += 1
    const { messages } = JSON.parse(await textOf(request)) as { readonly messages: readonly UiMessage[] }
    const sdk = sdkOf(7)
    const me = this.gate.as({ user: 'alice', agent: 'support' }, { conversation: 'talk', channel: 'chat' })
    const refund = sdk.tool({
      description: 'refunds',
      inputSchema: z.object({ amount: z.number() }),
      execute: async (input: unknown) => this.ran.push(input),
    })
    const guarded = guardTools({ refund }, me)
    const isFirst = messages.at(-1)?.role === 'user'
    const { model, prompts } = scriptedModel(7, isFirst ? [[said('refund', { amount: 900 })]] : [])
    const result = sdk.streamText({
      model,
      messages: await sdk.convertToModelMessages(messages, { tools: guarded.tools }),
      stopWhen: sdk.stepCountIs(5),
      ...guarded,
    })
    return respond(result, me, {
      originalMessages: messages,
      generateMessageId: () => `a${messages.length}`,
      onFinish: (event: { readonly messages: readonly UiMessage[] }) => {
        this.stored = event.messages
        this.prompts = JSON.stringify(prompts())
      },
    })
  }
}

describe.skipIf(!hasChromium())('a chat with the real useChat, in Chromium', () => {
  let app = new App()
  let server: Server
  let browser: Awaited<ReturnType<typeof startChromium>>
  const wrong: string[] = []

  beforeAll(async () => {
    const modules = await bundledPage('test/adapters/react/chat-page.tsx')
    const style = readFileSync(new URL('../../../adapters/react/style.css', import.meta.url))
    server = createServer(async (request, answer) => {
      const name = (request.url ?? '').slice(1)
      const script = modules.get(name)
      if (script !== undefined) return answer.setHeader('content-type', 'text/javascript').end(script)
      if (name === 'style.css') return answer.setHeader('content-type', 'text/css').end(style)
      if (name === 'stored')
        return answer.end(JSON.stringify({ messages: app.stored, trustedKeys: [app.gate.signer.publicJwk] }))
      if (name !== 'chat') return answer.setHeader('content-type', 'text/html').end(PAGE)
      const response = await app.chat(request)
      answer.writeHead(response.status, Object.fromEntries(response.headers))
      for await (const chunk of response.body ?? []) answer.write(chunk)
      return answer.end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    browser = await startChromium()
  }, 60_000)
  afterEach(() => {
    app = new App()
  })
  afterAll(async () => {
    await browser.close()
    server.close()
  })

  async function open(): Promise<Page> {
    const page = await browser.newPage()
    page.on('pageerror', ({ message }) => wrong.push(message ?? ''))
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await page.waitForSelector('#send')
    return page
  }

  async function asked(): Promise<Page> {
    const page = await open()
    await page.click('#send')
    await page.waitForSelector('.hp-approve')
    return page
  }

  const title = async (page: Page) => (await page.textContent('.hp-title')) ?? ''

  it('approved once it runs once, with the arguments that were shown, and its receipts verify', async () => {
    const page = await asked()
    expect(await page.textContent('.hp-lines')).toBe('"amount":900')
    expect(app.ran).toEqual([])
    await page.dblclick('.hp-approve')
    await page.waitForSelector('.hp[data-tone=ran]')
    expect(await title(page)).toBe('Ran')
    expect(app.ran).toEqual([{ amount: 900 }])
    expect(app.posts).toBe(2)
    await page.click('.hp-receipt button')
    await page.waitForSelector('[data-state=verified]')
    expect(wrong).toEqual([])
  })

  it('declined with a reason it does not run, and the model is told', async () => {
    const page = await asked()
    await page.fill('.hp-reason input', 'ask the customer first')
    await page.click('.hp-decline')
    await page.waitForSelector('.hp[data-tone=refused]')
    expect(await title(page)).toBe('Declined: did not run')
    await page.waitForSelector('p:not([class])')
    expect(app.ran).toEqual([])
    expect(app.prompts).toContain('ask the customer first')
  })

  it('what was stored is shown again after a reload, and can be answered then', async () => {
    await asked()
    await expect.poll(() => app.stored.length).toBeGreaterThan(0)
    const again = await open()
    await again.waitForSelector('.hp-approve')
    await again.click('.hp-approve')
    await again.waitForSelector('.hp[data-tone=ran]')
    expect(app.ran).toEqual([{ amount: 900 }])
    await expect.poll(() => JSON.stringify(app.stored)).toContain('output-available')
    const later = await open()
    await later.waitForSelector('.hp[data-tone=ran]')
    await later.click('.hp-receipt button')
    await later.waitForSelector('[data-state=verified]')
  })

  it('two tabs that approve at once run it once, and the other tab does not say that it ran there', async () => {
    const one = await asked()
    await expect.poll(() => app.stored.length).toBeGreaterThan(0)
    const other = await open()
    await other.waitForSelector('.hp-approve')
    await Promise.all([one.click('.hp-approve'), other.click('.hp-approve')])
    for (const page of [one, other]) await page.waitForSelector('.hp:not([data-tone=asking])')
    expect(app.ran).toEqual([{ amount: 900 }])
    expect([await title(one), await title(other)].filter((said) => said === 'Ran')).toHaveLength(1)
  })
})
