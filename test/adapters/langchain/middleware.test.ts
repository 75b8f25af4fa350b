/** The middleware on hosts that pass by it, and while it only observes; what a tool may do while it is at work. */
import { type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { type StructuredTool, tool } from '@langchain/core/tools'
import { createAgent, createMiddleware } from 'langchain'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { guardTools, holdpointMiddleware } from '../../../adapters/langchain/index.ts'
import type { Gate } from '../../../src/index.ts'
import { type TestGate, type TestGateOptions, testGate } from '../../../src/testing.ts'
import { ScriptedModel } from './host.ts'

const SECRETIVE = `@id("all") @obligation("redact_output:{\\"paths\\":[\\"/secret\\"]}") permit (principal, action, resource);`

function gateOf(options: TestGateOptions = {}): { readonly gate: TestGate; readonly me: Gate } {
  const gate = testGate(options)
  return { gate, me: gate.as({ user: 'alice' }, { conversation: 'talk' }) }
}

function noting(name: string, ran: unknown[]) {
  return tool(
    async (input: object) => {
      ran.push(input)
      return 'done'
    },
    { name, description: name, schema: z.object({}) },
  )
}

const asked = (name: string, id = 'c1') => ({ type: 'tool_call' as const, name, args: {}, id })

async function stepOf(tools: readonly object[], middleware: readonly object[], ...calls: ReturnType<typeof asked>[]) {
  const model = new ScriptedModel([calls.map(({ name, args, id }) => ({ tool: name, input: args, id }))])
  const agent = createAgent({ model, tools: tools as never, middleware: middleware as never })
  const state: unknown = await agent.invoke({ messages: [new HumanMessage('go')] } as never)
  return (state as { readonly messages: readonly BaseMessage[] }).messages
}

describe('a host that does not run the tool that a middleware gives it', () => {
  /** As `langchain` 1.0.1 runs a tool: it looks for it by its name. */
  const oldHost =
    (tools: readonly StructuredTool[]) =>
    async ({ toolCall }: { readonly toolCall: ReturnType<typeof asked> }) => {
      const found = tools.find(({ name }) => name === toolCall.name)
      if (found === undefined) throw new Error(`Tool "${toolCall.name}" not found.`)
      return await found.invoke(toolCall)
    }

  it('runs nothing, and its programmer is told what to do', async () => {
    const { gate, me } = gateOf()
    const ran: unknown[] = []
    const read = noting('read', ran) as unknown as StructuredTool
    const { wrapToolCall } = holdpointMiddleware(me)
    const request = { toolCall: asked('read'), tool: read, state: {}, runtime: {} }
    for (let nth = 0; nth < 2; nth += 1)
      await expect(wrapToolCall(request, oldHost([read]) as never)).rejects.toMatchObject({
        code: 'ERR_HOST',
        message: expect.stringMatching(/Nothing ran.*npm install langchain@\^1\.5\.14/),
      })
    expect([ran, gate.calls]).toEqual([[], []])
  })

  it('runs guarded tools, which need nothing of it', async () => {
    const { me } = gateOf()
    const ran: unknown[] = []
    const [read] = guardTools([noting('read', ran)], me) as unknown as [StructuredTool]
    const request = { toolCall: asked('read'), tool: read, state: {}, runtime: {} }
    await holdpointMiddleware(me).wrapToolCall(request, oldHost([read]) as never)
    expect(ran).toHaveLength(1)
  })

  it('because a middleware behind ours answers by itself, runs nothing either', async () => {
    const { me } = gateOf()
    const ran: unknown[] = []
    const answering = createMiddleware({
      name: 'answering',
      wrapToolCall: async ({ toolCall }) =>
        new ToolMessage({ content: 'cached', name: toolCall.name, tool_call_id: toolCall.id ?? '' }),
    })
    const run = stepOf([noting('read', ran)], [holdpointMiddleware(me), answering], asked('read'))
    await expect(run).rejects.toThrow(/Put holdpointMiddleware last/)
    expect(ran).toEqual([])
  })

  it('is asked about it once, before the first tool', async () => {
    const { me } = gateOf()
    const seen: string[] = []
    const hearing = createMiddleware({
      name: 'hearing',
      wrapToolCall: async (request, handler) => {
        seen.push(request.toolCall.name)
        return await handler(request)
      },
    })
    const calls = ['c1', 'c2', 'c3'].map((id) => asked('read', id))
    await stepOf([noting('read', [])], [holdpointMiddleware(me), hearing], ...calls)
    expect(seen.filter((name) => name !== 'read')).toHaveLength(1)
    expect(seen).toHaveLength(4)
  })
})

describe('a gate that only observes', () => {
  const observe = () => ({ until: Date.now() + 60_000 })

  it('lets the host say what it says of a tool that nobody has, and the run goes on', async () => {
    const { gate, me } = gateOf({ observe: observe() })
    const messages = await stepOf([noting('read', [])], [holdpointMiddleware(me)], asked('ghost'))
    expect(messages.at(-1)?.content).toBe('done')
    const [told] = messages.filter(ToolMessage.isInstance)
    expect(told?.content).toMatch(/ghost is not a valid tool/)
    expect(told?.additional_kwargs['holdpoint']).toMatchObject({ outcome: 'permitted' })
    expect(gate.events.filter(({ event }) => event === 'call-settled')).toMatchObject([{ status: 'tool_error' }])
  })

  it('lets run what another middleware brings behind it', async () => {
    const { gate, me } = gateOf({ observe: observe() })
    const ran: unknown[] = []
    const look = noting('look', ran)
    const bringing = createMiddleware({
      name: 'bringing',
      wrapToolCall: async (request, handler) => await handler({ ...request, tool: request.tool ?? (look as never) }),
    })
    await stepOf([noting('read', [])], [holdpointMiddleware(me), bringing], asked('look'))
    expect(ran).toHaveLength(1)
    expect(gate.events).toContainEqual(expect.objectContaining({ code: 'stray_tool' }))
  })
})

interface Writing {
  readonly writer?: (chunk: unknown) => void
}

describe('a tool at work', () => {
  it('streams through its graph’s writer nothing that policy wants kept back', async () => {
    const streaming = tool(
      (async (_: object, config: Writing & { readonly config?: Writing }) => {
        config.writer?.({ secret: 's 3', step: 1 })
        config.config?.writer?.({ secret: 's 3', step: 2 })
        return 'done'
      }) as never,
      { name: 'read', description: 'd', schema: z.object({}) },
    )
    for (const built of [
      (me: Gate) => ({ tools: guardTools([streaming], me) }),
      (me: Gate) => ({ tools: [streaming], middleware: [holdpointMiddleware(me)] }),
    ]) {
      const model = new ScriptedModel([[{ tool: 'read', input: {}, id: 'c1' }]])
      const agent = createAgent({ model, ...(built(gateOf({ policy: SECRETIVE }).me) as object) } as never)
      const shown: unknown[] = []
      const input = { messages: [new HumanMessage('go')] } as never
      for await (const chunk of await agent.stream(input, { streamMode: 'custom' } as never)) shown.push(chunk)
      expect(shown).toEqual([expect.objectContaining({ step: 1 }), expect.objectContaining({ step: 2 })])
      expect(JSON.stringify(shown)).not.toContain('s 3')
    }
  })

  it('that calls itself under its own id waits for its own end, as long as its caller does', async () => {
    const { me } = gateOf()
    let runs = 0
    const made = tool(
      (async (_: object, { signal }: { readonly signal?: AbortSignal }) => {
        runs += 1
        return await self.invoke(asked('again') as never, { signal } as never)
      }) as never,
      { name: 'again', description: 'd', schema: z.object({}) },
    )
    const [self] = guardTools([made], me) as unknown as [StructuredTool]
    const caller = new AbortController()
    const called = self.invoke(asked('again') as never, { signal: caller.signal } as never)
    setTimeout(() => caller.abort(new Error('it takes too long')), 50)
    await expect(called).rejects.toThrow()
    expect(runs).toBe(1)
  })
})
