import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { RunnableLambda } from '@langchain/core/runnables'
import { DynamicTool, StructuredTool, tool } from '@langchain/core/tools'
import { Command } from '@langchain/langgraph'
import { ToolNode } from '@langchain/langgraph/prebuilt'
import { createAgent, createMiddleware, toolErrorMiddleware, toolRetryMiddleware } from 'langchain'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type GuardOptions, guardTools, holdpointMiddleware, reportOf } from '../../../adapters/langchain/index.ts'
import { type Gate, HoldpointError } from '../../../src/index.ts'
import { type TestGate, type TestGateOptions, testGate } from '../../../src/testing.ts'
import { ScriptedModel } from './host.ts'

const NO_ERASING = `@id("all") permit (principal, action, resource);
@id("no") @refusal("Nothing is erased here.") forbid (principal, action == Action::"test/erase", resource);`

function gateOf(options: TestGateOptions = {}): { readonly gate: TestGate; readonly me: Gate } {
  const gate = testGate(options)
  return { gate, me: gate.as({ user: 'alice' }, { conversation: 'talk' }) }
}

function noting(name: string, ran: unknown[], result: unknown = 'done') {
  return tool(
    async (input: { path: string }) => {
      ran.push(input)
      return result
    },
    { name, description: name, schema: z.object({ path: z.string() }) },
  )
}

function asked(name: string, args: unknown = { path: '/x' }, id = 'c1') {
  return { type: 'tool_call' as const, name, args: args as Record<string, unknown>, id }
}

/** What the model was told of each call of one step. */
async function stepOf(tools: readonly object[], middleware: readonly object[], ...calls: ReturnType<typeof asked>[]) {
  const model = new ScriptedModel([calls.map(({ name, args, id }) => ({ tool: name, input: args, id }))])
  const agent = createAgent({ model, tools: tools as never, middleware: middleware as never })
  const state: unknown = await agent.invoke({ messages: [new HumanMessage('go')] } as never)
  const { messages } = state as { readonly messages: readonly BaseMessage[] }
  expect(messages.at(-1)?.content).toBe('done')
  return messages.filter(ToolMessage.isInstance)
}

describe('guarded tools', () => {
  it('hold in the prebuilt ToolNode, which ignores a wrapToolCall: without them the call runs', async () => {
    const { me } = gateOf({ policy: NO_ERASING })
    const ran: unknown[] = []
    const wrapToolCall = () => {
      throw new Error('nobody asks me')
    }
    const bare = new ToolNode([noting('erase', ran)], { wrapToolCall } as never)
    await bare.invoke([new AIMessage({ content: '', tool_calls: [asked('erase')] })])
    expect(ran).toEqual([{ path: '/x' }])
    const node = new ToolNode(guardTools([noting('erase', ran)], me))
    const [refused] = await node.invoke([new AIMessage({ content: '', tool_calls: [asked('erase')] })])
    expect(ran).toHaveLength(1)
    expect(refused).toMatchObject({
      status: 'error',
      tool_call_id: 'c1',
      content: expect.stringContaining('erased here'),
    })
  })

  it.each([
    ['invoke with a call', (erase: StructuredTool) => erase.invoke(asked('erase'))],
    ['invoke with arguments', (erase: StructuredTool) => erase.invoke({ path: '/x' })],
    ['call', (erase: StructuredTool) => erase.call({ path: '/x' })],
    ['batch', async (erase: StructuredTool) => (await erase.batch([{ path: '/x' }]))[0]],
    [
      'stream',
      async (erase: StructuredTool) => {
        for await (const chunk of await erase.stream({ path: '/x' })) return chunk
      },
    ],
    ['_call', (erase: StructuredTool) => Reflect.apply(Reflect.get(erase, '_call'), erase, [{ path: '/x' }])],
    ['func', (erase: StructuredTool) => Reflect.apply(Reflect.get(erase, 'func'), erase, [{ path: '/x' }])],
  ] as const)('leave no way to the code but through the gate: %s', async (_, run) => {
    const { me } = gateOf({ policy: NO_ERASING })
    const ran: unknown[] = []
    const [erase] = guardTools([noting('erase', ran)], me)
    expect(await run(erase as never)).toMatchObject({
      status: 'error',
      content: expect.stringContaining('erased here'),
    })
    expect(ran).toEqual([])
  })

  it('of a class that goes past _call trip the wire', async () => {
    const { gate, me } = gateOf()
    class Sly extends StructuredTool {
      readonly name = 'sly'
      readonly description = 'sly'
      readonly schema = z.object({})
      override async invoke(input: unknown): Promise<never> {
        return new ToolMessage({ content: 'ran', tool_call_id: Reflect.get(Object(input), 'id') }) as never
      }
      override async _call() {
        return 'x'
      }
    }
    const [sly] = guardTools([new Sly()], me)
    await sly?.invoke(asked('sly', {}))
    expect(gate.events).toContainEqual(expect.objectContaining({ code: 'ran_without_admission' }))
    expect(gate.coverage()).toContainEqual(expect.objectContaining({ tool: 'sly', standing: 'unknown' }))
  })

  it('get what was decided, in the form in which the host had it', async () => {
    const { me } = gateOf()
    const seen: unknown[] = []
    const note = async (input: unknown) => `got ${seen.push(input)}`
    const [text, plain, typed, runnable] = guardTools(
      [
        new DynamicTool({ name: 'text', description: 'd', func: note }),
        tool(note, {
          name: 'plain',
          description: 'd',
          schema: { type: 'object', properties: { a: { type: 'number' } } },
        }),
        tool(note, { name: 'typed', description: 'd', schema: z.object({ a: z.number().default(7) }) }),
        RunnableLambda.from(note as never).asTool({
          name: 'runnable',
          description: 'd',
          schema: z.object({ a: z.number().default(8) }) as never,
        }),
      ] as const,
      me,
    ) as unknown as { invoke(input: unknown): Promise<ToolMessage> }[]
    expect((await text?.invoke(asked('text', { input: 'hello' })))?.content).toBe('got 1')
    await text?.invoke('again')
    await plain?.invoke(asked('plain', { a: 1 }))
    await typed?.invoke(asked('typed', {}))
    expect((await runnable?.invoke(asked('runnable', {})))?.content).toBe('got 5')
    expect(seen).toEqual(['hello', 'again', { a: 1 }, { a: 7 }, { a: 8 }])
  })

  it('keep what the host says of arguments that miss the schema, and run nothing', async () => {
    const { gate, me } = gateOf()
    const ran: unknown[] = []
    const runnable = RunnableLambda.from(async (input: unknown) => String(ran.push(input))).asTool({
      name: 'runnable',
      description: 'd',
      schema: z.object({ path: z.string() }) as never,
    })
    const bare = await stepOf(
      [noting('read', ran), runnable],
      [],
      asked('read', { path: 1 }),
      asked('runnable', {}, 'c2'),
    )
    for (const [tools, middleware] of [
      [guardTools([noting('read', ran), runnable], me), []],
      [[noting('read', ran), runnable], [holdpointMiddleware(me)]],
    ] as const) {
      const gated = await stepOf(tools, middleware, asked('read', { path: 1 }), asked('runnable', {}, 'c2'))
      // The host's text ends with the stack of its error.
      const said = (messages: readonly ToolMessage[]) =>
        messages.map(({ content, status }) => [String(content).split('\n    at ')[0], status])
      expect(said(gated)).toEqual(said(bare))
    }
    expect(ran).toEqual([])
    expect(gate.calls).toEqual([])
  })

  it('that miss the schema of a runnable pass the gate where nobody else reads them, and never unpack themselves behind it', async () => {
    const { me } = gateOf({ policy: NO_ERASING })
    const ran: unknown[] = []
    const erase = (schema: unknown) =>
      guardTools(
        [
          RunnableLambda.from(async (input: unknown) => String(ran.push(input))).asTool({
            name: 'erase',
            description: 'd',
            schema: schema as never,
          }),
        ],
        me,
      )[0] as unknown as { invoke(input: unknown): Promise<ToolMessage>; batch(inputs: unknown[]): Promise<unknown> }
    const typed = erase(z.object({ path: z.string().max(3) }))
    expect(await typed.invoke({ path: '/etc/passwd' })).toMatchObject({ status: 'error' })
    await typed.batch([{ path: '/etc/passwd' }])
    expect(ran).toEqual([])
    const loose = guardTools(
      [
        RunnableLambda.from(async (input: unknown) => String(ran.push(input))).asTool({
          name: 'loose',
          description: 'd',
          schema: z.looseObject({}) as never,
        }),
      ],
      me,
    )[0] as unknown as { invoke(input: unknown): Promise<ToolMessage> }
    const packed = { type: 'tool_call', name: 'loose', args: { path: '/x' } }
    await expect(loose.invoke(asked('loose', packed))).rejects.toThrow('a call themselves')
    expect(ran).toEqual([])
  })

  it('that are no plain JSON are refused, and the programmer hears which member it is', async () => {
    const { gate, me } = gateOf()
    const ran: unknown[] = []
    const when = tool(async (input) => String(ran.push(input)), {
      name: 'when',
      description: 'd',
      schema: z.object({ at: z.string().transform((text) => new Date(text)) }),
    })
    const [guarded] = guardTools([when], me)
    expect(await guarded?.invoke(asked('when', { at: '2026-01-01' }))).toMatchObject({
      content: expect.stringContaining('arguments_rejected'),
    })
    expect(ran).toEqual([])
    expect(gate.events).toContainEqual(
      expect.objectContaining({ code: 'unjson_argument', message: expect.stringContaining('/at into a Date') }),
    )
  })

  it('run once for a call id that comes again, and say so', async () => {
    const { me } = gateOf()
    const ran: unknown[] = []
    const [read] = guardTools([noting('read', ran)], me)
    await read?.invoke(asked('read'))
    expect(await read?.invoke(asked('read'))).toMatchObject({ content: expect.stringContaining('already_executed') })
    expect(ran).toHaveLength(1)
  })

  it('tell the model of a call that ran unchecked beside whatever a tool gives back', async () => {
    const { gate, me } = gateOf({
      failMode: { low: 'open' },
      tools: Object.fromEntries(
        ['text', 'object', 'blocks', 'message', 'pair', 'command'].map((name) => [name, { materiality: 'low' }]),
      ),
    })
    gate.outage('refused')
    const message = (id: string) => new ToolMessage({ content: 'm', tool_call_id: id })
    const results: readonly (readonly [string, unknown, object?])[] = [
      ['text', 'x'],
      ['object', { a: 1 }],
      ['blocks', [{ type: 'text', text: 'x' }]],
      ['message', message('c1')],
      ['pair', ['x', { kept: true }], { responseFormat: 'content_and_artifact' }],
      ['command', new Command({ update: { messages: [message('c1')] } })],
    ]
    for (const [name, result, more = {}] of results) {
      const made = tool(async () => result, { name, description: 'd', schema: z.object({}), ...more } as never)
      const [guarded] = guardTools([made], me)
      const output = await guarded?.invoke(asked(name, {}) as never)
      expect(JSON.stringify(output), name).toContain('no policy answered')
      if (name === 'pair') expect(output).toMatchObject({ artifact: { kept: true } })
    }
  })

  it('keep back of result, artifact and previews what policy wants kept back', async () => {
    const { me } = gateOf({
      policy: `@id("all") @obligation("redact_output:{\\"paths\\":[\\"/secret\\"]}") permit (principal, action, resource);`,
    })
    const previews: unknown[] = []
    const made = tool(
      async function* () {
        yield { secret: 's 3', step: 1 }
        return { secret: 's 3', plain: 'yes' }
      } as never,
      { name: 'read', description: 'd', schema: z.object({}) },
    )
    const [read] = guardTools([made], me)
    const output = await read?.invoke(
      asked('read', {}) as never,
      {
        callbacks: [{ handleToolEvent: (chunk: unknown) => void previews.push(chunk) }],
      } as never,
    )
    expect(JSON.stringify([output, previews])).not.toContain('s 3')
    expect(JSON.stringify(output)).toContain('yes')
    expect(previews).toEqual([expect.objectContaining({ step: 1 })])
  })

  it('put what became of a call beside its message, where no provider sends it', async () => {
    const { gate, me } = gateOf({ policy: NO_ERASING })
    const [read, erase] = guardTools([noting('read', []), noting('erase', [])], me)
    const [ran, refused] = [await read?.invoke(asked('read')), await erase?.invoke(asked('erase', { path: '/' }, 'c2'))]
    const receipts = (await gate.receipts()).filter(({ kind }) => kind !== 'open')
    const beside = [ran, refused].map((message) => Reflect.get(Object(message), 'additional_kwargs').holdpoint)
    expect(beside.map(({ outcome }) => outcome)).toEqual(['permitted', 'refused'])
    expect(beside.flatMap((data) => data.receipts.map(({ id }: { id: string }) => id))).toEqual(
      receipts.map(({ id }) => id),
    )
    expect(reportOf(me, 'c2')).toEqual(beside[1])
  })
})

describe('what the programmer is told at once', () => {
  const search = { type: 'web_search_20260101', name: 'web_search' }
  const theirs = tool(async () => 'x', {
    name: 'wipe',
    description: 'd',
    schema: { type: 'object', properties: {} },
    metadata: { annotations: { readOnlyHint: true } },
  })
  const nameless = Object.assign(Object.create(noting('x', [])), { name: undefined })
  const cases: readonly (readonly [string, readonly object[], GuardOptions, string, RegExp])[] = [
    ['a tool that the provider runs', [search], {}, 'ERR_UNGATED', /web_search.*ungated: \['web_search'\]/],
    ['a tool of the provider without any name', [{ googleSearch: {} }], {}, 'ERR_UNGATED', /googleSearch/],
    ['a tool without code', [{ name: 'ghost', schema: z.object({}) }], {}, 'ERR_UNGATED', /ghost/],
    ['a tool of another version', [{ name: 'old', _call: async () => 'x' }], {}, 'ERR_HOST', /langchain\/core/],
    ['a tool without a name', [nameless], {}, 'ERR_TOOL', /no name/],
    ['a name that no tool may have', [noting('a tool', [])], {}, 'ERR_TOOL', /a tool/],
    ['two tools of one name', [noting('a', []), noting('a', [])], {}, 'ERR_TOOL', /twice/],
    ['names that differ by case alone', [noting('a', []), noting('A', [])], {}, 'ERR_TOOL', /only in case/],
    ['tools over MCP without a server', [theirs], {}, 'ERR_TOOL', /wipe.*server/],
  ]

  it.each(cases)('%s', (_, tools, options, code, message) => {
    const { me } = gateOf()
    expect(() => guardTools(tools, me, options)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    )
  })

  it.each(cases)('in a run of the middleware: %s', async (_, tools, options, code) => {
    const { me } = gateOf()
    const run = stepOf(tools, [holdpointMiddleware(me, options)])
    expect(await run.catch((error: Error) => error.cause)).toMatchObject({ code })
  })

  it('that a tool is guarded already', () => {
    const { me } = gateOf()
    const once = guardTools([noting('a', [])], me)
    expect(() => guardTools(once, me)).toThrow(expect.objectContaining({ code: 'ERR_TOOL' }))
  })

  it('and accepts a provider’s tool by its name, and a third party under a server of its own', () => {
    const { gate, me } = gateOf()
    guardTools([search, noting('read', [])], me, { ungated: ['web_search'] })
    guardTools([theirs], me, { server: 'files' })
    expect(gate.coverage().map(({ server, tool: name, standing }) => [server, name, standing])).toEqual([
      ['files', 'wipe', 'gated'],
      ['test', 'read', 'gated'],
      ['test', 'web_search', 'ungated'],
    ])
  })

  it('a third party does not get the word on our tool of the same name', async () => {
    const { gate, me } = gateOf({ tools: { wipe: { materiality: 'low' } } })
    guardTools([noting('wipe', [])], me)
    const [wipe] = guardTools([theirs], me, { server: 'files' })
    await wipe?.invoke(asked('wipe', {}) as never)
    expect(gate.calls).toMatchObject([{ tool: 'files/wipe', materiality: expect.not.stringMatching('low') }])
  })
})

describe('the middleware', () => {
  const throwing = tool(
    async () => {
      throw new RangeError('disk is full')
    },
    { name: 'write', description: 'd', schema: z.object({}) },
  )

  it('refuses a tool that the agent does not have, and the run goes on', async () => {
    const { gate, me } = gateOf()
    for (const name of ['ghost', '__proto__', 'no such tool', '']) {
      const [told] = await stepOf([noting('read', [])], [holdpointMiddleware(me)], asked(name))
      expect(told, name).toMatchObject({ status: 'error', content: expect.stringContaining('tool_unknown') })
    }
    expect(gate.events).toContainEqual(expect.objectContaining({ code: 'stray_tool' }))
  })

  it('does not run a tool that another middleware brings behind it, and guards one that it brings before', async () => {
    const { me } = gateOf({ policy: NO_ERASING })
    const ran: unknown[] = []
    const erase = noting('erase', ran)
    const bringing = createMiddleware({
      name: 'bringing',
      wrapModelCall: async (request, handler) =>
        await handler({ ...request, tools: [...(request.tools ?? []), erase] as never }),
      wrapToolCall: async (request, handler) =>
        await handler(request.tool === undefined ? { ...request, tool: erase as never } : request),
    })
    const tools = [noting('read', [])]
    const [behind] = await stepOf(tools, [holdpointMiddleware(me), bringing], asked('erase'))
    expect(behind?.content).toContain('tool_unknown')
    const [before] = await stepOf(tools, [bringing, holdpointMiddleware(me)], asked('erase', { path: '/y' }))
    expect(before?.content).toContain('Nothing is erased here.')
    expect(ran).toEqual([])
  })

  it('takes guarded tools as they are', async () => {
    const { gate, me } = gateOf()
    const ran: unknown[] = []
    await stepOf(guardTools([noting('read', ran)], me), [holdpointMiddleware(me)], asked('read'))
    expect(ran).toHaveLength(1)
    expect(gate.calls).toHaveLength(1)
  })

  it('leaves an error to other middleware where it is told to', async () => {
    const { me } = gateOf()
    const heard: unknown[] = []
    const hearing = toolErrorMiddleware({ onError: (error) => `told: ${String(heard.push(error))}` })
    const [told] = await stepOf(
      [throwing],
      [hearing, holdpointMiddleware(me, { toolErrors: 'throw' })],
      asked('write', {}),
    )
    expect(told?.content).toBe('told: 1')
    expect(heard).toEqual([expect.any(RangeError)])
    await expect(
      stepOf([throwing], [holdpointMiddleware(me, { toolErrors: 'throw' })], asked('write', {}, 'c2')),
    ).rejects.toThrow('disk is full')
  })

  it('lets a call be made once, whatever tries again', async () => {
    const { me } = gateOf()
    let tries = 0
    const failing = tool(
      async () => {
        tries += 1
        throw new Error('flaky')
      },
      { name: 'write', description: 'd', schema: z.object({}) },
    )
    const retry = toolRetryMiddleware({ maxRetries: 2, initialDelayMs: 1 })
    const [told] = await stepOf([failing], [retry, holdpointMiddleware(me)], asked('write', {}))
    expect(told?.content).toContain('flaky')
    await stepOf(guardTools([failing], me), [retry], asked('write', {}, 'c2'))
    expect(tries).toBe(2)
  })

  it('records a tool that says itself that it failed', async () => {
    const { gate, me } = gateOf()
    const failing = tool(async () => new ToolMessage({ content: 'no', status: 'error', tool_call_id: 'c1' }), {
      name: 'write',
      description: 'd',
      schema: z.object({}),
    })
    await stepOf([failing], [holdpointMiddleware(me)], asked('write', {}))
    expect(gate.events.filter(({ event }) => event === 'call-settled')).toMatchObject([{ status: 'tool_error' }])
  })

  it("marks the provider's own calls in the provider's own blocks", async () => {
    const { gate, me } = gateOf()
    const guard = holdpointMiddleware(me, { ungated: ['web_search'] })
    const answer = new AIMessage({
      content: [{ type: 'server_tool_use', id: 's1', name: 'web_search', input: {} }] as never,
    })
    expect(await guard.wrapModelCall({ tools: [] }, () => answer)).toBe(answer)
    expect(gate.calls).toMatchObject([{ tool: 'test/web_search', code: 'ungated_tool' }])
  })

  it('is an error of ours to nobody: a HoldpointError has a code', () => {
    expect(() => guardTools([{}], gateOf().me)).toThrow(HoldpointError)
  })
})
