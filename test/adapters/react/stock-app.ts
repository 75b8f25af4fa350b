import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { z } from 'zod'
import { type GuardOptions, guardTools, respond } from '../../../adapters/ai-sdk/index.ts'
import { createGate } from '../../../src/create-gate.ts'
import { createMemoryStore, generateSigner, testGate } from '../../../src/testing.ts'
import type { Gate } from '../../../src/types.ts'
import { bundledPage } from '../../support/ui.ts'
import { said, scriptedModel, sdkOf, type UiMessage } from '../ai-sdk/sdk.ts'

/** What a person can say to the chat: the tool that the model then calls. */
export type Wish = 'look_up' | 'wire' | 'refund' | 'peek'

export const ORDER = { order: 'A-1041', amount: 900 }

/** The pages: the first two know nothing of holdpoint. */
const PAGES = {
  plain: 'test/adapters/react/plain-page.tsx',
  'assistant-ui': 'test/ui/assistant-ui-page.tsx',
  'assistant-ui-cards': 'test/ui/assistant-ui-cards-page.tsx',
} as const
export type Page = keyof typeof PAGES

const html = (
  script: string,
) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>chat</title><link rel="stylesheet" href="/style.css">
<style>body{max-width:36rem;margin:16px;font:15px/1.5 system-ui,sans-serif}pre{padding:8px;background:#f3f4f6;white-space:pre-wrap}button{font:inherit}textarea{font:inherit;width:20rem;height:1.6em}.message{margin:8px 0}</style>
</head><body><main id="root"></main><script type="module" src="/${script}"></script></body></html>`

/** An app on major 7 whose tools are guarded, and whose front end is whatever it was before. */
export interface StockApp {
  readonly url: string
  /** Arguments of every call that ran. */
  readonly ran: unknown[]
  stored: readonly UiMessage[]
  /** What the model was sent last. */
  prompts: string
  close(): Promise<void>
}

/** A gate that permits, refuses and asks, and one that no policy answers. */
function gates(): { readonly answered: Gate; readonly silent: Gate } {
  const answered = createGate({
    config: false,
    server: 'shop',
    policies: 'ask/v1',
    events: [],
    effects: { store: createMemoryStore(), signer: generateSigner() },
    tools: {
      look_up: { materiality: 'low', permit: 'always' },
      wire: {
        materiality: 'high',
        permit: { amount: { max: 500 } },
        otherwise: { say: 'Transfers above 500 EUR are not made by an assistant.' },
      },
      refund: {
        materiality: 'high',
        permit: { amount: { max: 500 } },
        otherwise: { ask: 'confirmation', say: 'Refunds above 500 EUR need your yes.' },
      },
    },
  })
  const silent = testGate({ server: 'shop', failMode: { low: 'open' }, tools: { peek: { materiality: 'low' } } })
  silent.outage('refused')
  return { answered, silent }
}

export async function startStockApp(): Promise<StockApp> {
  const scripts = new Map<string, Uint8Array>()
  for (const page of Object.values(PAGES))
    for (const [name, script] of await bundledPage(page)) scripts.set(name, script)
  const style = readFileSync(new URL('../../../adapters/react/style.css', import.meta.url))
  const { answered, silent } = gates()
  const sdk = sdkOf(7)
  const ran: unknown[] = []
  let talks = 0

  const chat = async (request: IncomingMessage, options: GuardOptions): Promise<Response> => {
    const { messages } = JSON.parse(await textOf(request)) as { readonly messages: readonly UiMessage[] }
    const last = messages.at(-1)
    const wish = last?.role === 'user' ? Reflect.get(last.parts[0] ?? {}, 'text') : undefined
    if (wish !== undefined) talks += 1
    const gate = wish === 'peek' ? silent : answered
    // A no is for good in its conversation: each wish has one of its own.
    const me = gate.as({ user: 'alice', agent: 'support' }, { conversation: `talk-${talks}`, channel: 'chat' })
    const tool = sdk.tool({
      inputSchema: z.object({ order: z.string(), amount: z.number() }),
      execute: async (input: unknown) => {
        ran.push(input)
        return { ok: true }
      },
    })
    const guarded = guardTools(
      wish === 'peek' ? { peek: tool } : { look_up: tool, wire: tool, refund: tool },
      me,
      options,
    )
    const { model, prompts } = scriptedModel(
      7,
      wish === undefined ? [] : [[said(String(wish), ORDER, `call-${talks}`)]],
    )
    const result = sdk.streamText({
      model,
      messages: await sdk.convertToModelMessages(messages, { tools: guarded.tools }),
      stopWhen: sdk.stepCountIs(5),
      ...guarded,
    })
    return respond(result, me, {
      originalMessages: messages,
      generateMessageId: () => `a${talks}`,
      onFinish: (event: { readonly messages: readonly UiMessage[] }) => {
        app.stored = event.messages
        app.prompts = JSON.stringify(prompts())
      },
    })
  }

  const server = createServer(async (request, answer) => {
    const url = new URL(request.url ?? '', 'http://app')
    const script = scripts.get(url.pathname.slice(1))
    if (script !== undefined) return answer.setHeader('content-type', 'text/javascript').end(script)
    if (url.pathname === '/style.css') return answer.setHeader('content-type', 'text/css').end(style)
    if (url.pathname === '/stored') return answer.end(JSON.stringify(app.stored))
    if (url.pathname !== '/chat')
      return answer.setHeader('content-type', 'text/html').end(html(`${url.pathname.slice(1)}-page.js`))
    const options = JSON.parse(url.searchParams.get('options') ?? '{}') as GuardOptions
    const response = await chat(request, options)
    answer.writeHead(response.status, Object.fromEntries(response.headers))
    for await (const chunk of response.body ?? []) answer.write(chunk)
    return answer.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const app: StockApp = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    ran,
    stored: [],
    prompts: '',
    close: async () => {
      server.close()
      await Promise.all([answered.close(), silent.close()])
    },
  }
  return app
}
