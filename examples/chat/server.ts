/** The chat's server: sessions, the route that talks to the model, and the switch of the policy service. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { serveStatic } from '@hono/node-server/serve-static'
import { convertToModelMessages, isStepCount, streamText, type UIMessage, validateUIMessages } from 'ai'
import { authzen, createCedarPoint, createGate, type Gate } from 'holdpoint'
import { guardTools, holdpointDataSchema, respond } from 'holdpoint/ai-sdk'
import { generateSigner } from 'holdpoint/testing'
import { type Context, Hono } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { csrf } from 'hono/csrf'
import { castModel } from './model.ts'
import { Orders, supportTools } from './orders.ts'
import { PolicyService } from './policy-service.ts'
import { LiveStreams } from './streams.ts'

const HERE = import.meta.dirname
const SYSTEM =
  'You help the support desk of a shop. Look orders up before you speak of them. Call a tool at once when asked for a refund: ' +
  'whether it may run is not yours to judge. When it did not run, say so plainly and do not try again.'

const STREAM = { 'content-type': 'text/event-stream', 'x-vercel-ai-ui-message-stream': 'v1' }

/** One person's conversation, as the server has it. */
interface Talk {
  readonly id: string
  readonly user: string
  messages: UIMessage[]
}

/** What the server needs to know. */
export interface ChatOptions {
  /** The folder of the built page. */
  readonly page: string
  /** How long the scripted model takes for each word, ms. */
  readonly wordMs: number
}

/** A whole chat: its app, and what it has to be stopped with. */
export interface ChatServer {
  readonly app: Hono
  readonly gate: Gate
  close(): Promise<void>
}

export async function createChat({ page, wordMs }: ChatOptions): Promise<ChatServer> {
  const orders = new Orders()
  const service = new PolicyService()
  await service.switchOn()
  const { name, model } = castModel(wordMs)
  const streams = new LiveStreams()

  // A key for as long as this process runs. Without `effects` it lies in a file, and `holdpoint keys` prints its public part.
  const signer = generateSigner()
  const cedar = path.join(HERE, 'support.cedar')
  const gate = createGate({
    config: HERE,
    policy: [
      createCedarPoint([{ path: cedar, text: readFileSync(cedar, 'utf8') }]),
      authzen({ url: service.url, tools: ['shop/*'] }),
    ],
    effects: { signer },
  })

  // Whoever opens the page is Dana of the support desk. A real app has its sign-in here.
  const talks = new Map<string, Talk>()
  const talkOf = (c: Context): Talk => {
    const session = getCookie(c, 'session')
    const known = session === undefined ? undefined : talks.get(session)
    if (known !== undefined) return known
    const talk: Talk = { id: randomUUID(), user: 'dana', messages: [] }
    const fresh = randomUUID()
    talks.set(fresh, talk)
    setCookie(c, 'session', fresh, { httpOnly: true, sameSite: 'Strict', path: '/' })
    return talk
  }

  const app = new Hono()
  app.use(csrf())

  app.get('/api/session', (c) => {
    const { id, user, messages } = talkOf(c)
    const isWriting = streams.has(id)
    return c.json({
      id,
      user,
      messages,
      isWriting,
      model: name,
      trustedKeys: [signer.publicJwk],
      service: service.isOn,
    })
  })

  app.get('/api/orders', (c) => c.json(orders.all()))

  app.post('/api/service', async (c) => {
    const { on } = await c.req.json()
    if (on === true) await service.switchOn()
    else await service.switchOff()
    return c.json({ on: service.isOn })
  })

  app.post('/api/chat', async (c) => {
    const talk = talkOf(c)
    // What a body says of the past is a claim: it can change what the model reads, and permits nothing.
    const messages = await validateUIMessages({
      messages: (await c.req.json()).messages,
      dataSchemas: { holdpoint: holdpointDataSchema },
    })
    const last = messages.at(-1)
    const goesOn = last?.role === 'assistant'
    const isRepeated = talk.messages.some(({ id, role }) => role === 'user' && id === last?.id)
    // Two tabs may answer one question, and a request may come twice over a bad line. While the first is at work, the second hears what
    // becomes of it; afterwards the gate tells a second answer that the call has run, and the chat stays as it was.
    const live = goesOn || isRepeated ? streams.join(talk.id) : undefined
    if (live !== undefined) return c.body(live, 200, STREAM)
    if (isRepeated || streams.has(talk.id)) return c.text('This chat is answered one message after another.', 409)
    const isStale = goesOn && !isAsking(talk.messages.at(-1))
    if (!isStale) talk.messages = messages
    const keep = (all: UIMessage[]): void => {
      if (!isStale) talk.messages = all
    }
    return c.body(streams.start(talk.id, answer(talk, messages, keep)), 200, STREAM)
  })

  const answer = async (talk: Talk, messages: UIMessage[], keep: (all: UIMessage[]) => void): Promise<Response> => {
    const me = gate.as({ user: talk.user, agent: 'support' }, { conversation: talk.id, channel: 'chat' })
    const guarded = guardTools(supportTools(orders), me)
    const result = streamText({
      model,
      instructions: SYSTEM,
      messages: await convertToModelMessages(messages, { tools: guarded.tools }),
      stopWhen: isStepCount(6),
      ...guarded,
    })
    return respond(result, me, {
      originalMessages: messages,
      generateMessageId: randomUUID,
      onEnd: ({ messages: all }: { readonly messages: UIMessage[] }) => keep(all),
    })
  }

  app.get('/api/chat/:id/stream', (c) => {
    const talk = talkOf(c)
    const live = c.req.param('id') === talk.id ? streams.join(talk.id) : undefined
    return live === undefined ? c.body(null, 204) : c.body(live, 200, STREAM)
  })

  app.use(serveStatic({ root: path.relative(process.cwd(), page) }))

  return {
    app,
    gate,
    close: async () => {
      await service.switchOff()
      await gate.close()
    },
  }
}

/** Does a message wait for a person's answer? */
function isAsking(message: UIMessage | undefined): boolean {
  return message?.parts.some((part) => 'state' in part && part.state === 'approval-requested') === true
}
