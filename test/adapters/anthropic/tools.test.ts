import { mcpTools } from '@anthropic-ai/sdk/helpers/beta/mcp'
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import { runRunnableTool } from '@anthropic-ai/sdk/lib/tools/BetaRunnableTool'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { guardRunner, guardTools, reportOf, runToolUses } from '../../../adapters/anthropic/index.ts'
import type { EvaluationRequest, Gate } from '../../../src/index.ts'
import { type TestGateOptions, testGate } from '../../../src/testing.ts'
import { DENY, PERMIT, scriptedPoint } from '../../support/scripted-point.ts'
import { type Block, scriptedModel, toolUse } from './model.ts'

/** Permits everything but what names `/etc`. */
const noEtc = (request: EvaluationRequest) =>
  JSON.stringify(request.context.arguments).includes('/etc') ? { ...DENY, sentence: 'Not there.' } : PERMIT
const DENY_ETC = scriptedPoint(noEtc)

function gateOf(options: TestGateOptions = {}) {
  const gate = testGate(options)
  return { gate, me: gate.as({ user: 'alice', agent: 'support' }, { conversation: 'talk' }) }
}

const ran: unknown[] = []
beforeEach(() => {
  ran.length = 0
})

const read = betaZodTool({
  name: 'read',
  description: 'Read a file',
  inputSchema: z.object({ path: z.string().toLowerCase() }),
  run: (input) => {
    ran.push(input)
    return `contents of ${input.path}`
  },
})

const EAGER = { stream: true, runToolsEagerly: true }

async function play(
  tools: readonly object[],
  steps: readonly (readonly Block[])[],
  me: Gate,
  { settings = {}, options = {} }: { settings?: object; options?: object } = {},
) {
  const model = scriptedModel(steps)
  const params = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'go' }], tools, ...settings }
  const runner = guardRunner(model.client.beta.messages.toolRunner(params as never, options), me)
  const final = await runner.runUntilDone()
  const results = runner.params.messages.flatMap(({ content }) =>
    Array.isArray(content) ? content.filter((block) => block.type === 'tool_result') : [],
  )
  return { final, results, model }
}

describe.each([
  ['as it comes', {}],
  ['streaming', { stream: true }],
  ['eager', EAGER],
])('the tool runner, %s', (_, settings) => {
  it('shows the model a refusal as the SDK shows an error, and goes on', async () => {
    const { me } = gateOf({ policy: DENY_ETC })
    const step = [toolUse('read', { path: '/etc' }, 'a'), toolUse('read', { path: '/x' }, 'b')]
    const { results, final } = await play(guardTools([read], me), [step], me, { settings })
    expect(results).toMatchObject([
      { tool_use_id: 'a', is_error: true, content: [{ type: 'text', text: expect.stringContaining('Not there.') }] },
      { tool_use_id: 'b', content: 'contents of /x' },
    ])
    expect(results[1]).not.toHaveProperty('is_error')
    expect(final.content).toMatchObject([{ type: 'text', text: 'done' }])
    expect(ran).toEqual([{ path: '/x' }])
  })

  it('decides on what the tool’s own schema makes of the arguments', async () => {
    const { me } = gateOf({ policy: DENY_ETC })
    const { results } = await play(guardTools([read], me), [[toolUse('read', { path: '/ETC' })]], me, { settings })
    expect(results).toMatchObject([{ is_error: true }])
    expect(ran).toEqual([])
  })

  it('answers arguments that miss the tool’s schema, and unknown tools, as without the gate', async () => {
    const { gate, me } = gateOf()
    const step = [toolUse('read', { path: 7 }, 'a'), toolUse('__proto__', {}, 'b')]
    const bare = await play([read], [step], me, { settings })
    const gated = await play(guardTools([read], me), [step], me, { settings })
    expect(gated.results).toEqual(bare.results)
    expect(gate.calls).toEqual([])
  })

  it('executes a call once, however often its id comes', async () => {
    const { me } = gateOf()
    const call = toolUse('read', { path: '/x' })
    const { results } = await play(guardTools([read], me), [[call, call]], me, { settings })
    expect(ran).toHaveLength(1)
    expect(results).toHaveLength(2)
    const again = await play(guardTools([read], me), [[call]], me, { settings })
    expect(ran).toHaveLength(1)
    expect(again.results).toMatchObject([{ is_error: true }])
    expect(reportOf(me, 'toolu_1')?.refusal?.code).toBe('already_executed')
  })

  it('marks what Anthropic ran as ungated, in the order of the reply', async () => {
    const { gate, me } = gateOf({ policy: DENY_ETC })
    const step: readonly Block[] = [
      { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: { query: '/etc' } },
      { type: 'mcp_tool_use', id: 'mcp_1', name: 'ask', server_name: 'wiki', input: { q: '/etc' } },
      toolUse('read', { path: '/x' }),
    ]
    const tools = [
      { type: 'web_search_20250305', name: 'web_search' },
      { type: 'mcp_toolset', mcp_server_name: 'wiki' },
    ]
    expect(() => guardTools(tools, me)).toThrow(/web_search, wiki/)
    const guarded = guardTools([...tools, read], me, { ungated: ['web_search', 'wiki'] })
    await play(guarded, [step], me, { settings })
    expect(gate.calls.map(({ tool, code }) => [tool, code])).toEqual([
      ['test/web_search', 'ungated_tool'],
      ['wiki/ask', 'ungated_tool'],
      ['test/read', undefined],
    ])
    expect(reportOf(me, 'srv_1')).toMatchObject({ outcome: 'ungated' })
    expect(gate.coverage().map(({ server, tool, standing }) => [server, tool, standing])).toEqual([
      ['test', 'read', 'gated'],
      ['test', 'web_search', 'ungated'],
      ['test', 'wiki', 'ungated'],
      ['wiki', 'ask', 'ungated'],
    ])
  })
})

describe('the guarded runner', () => {
  it('starts nothing while the reply streams that the gate has not permitted, and holds what is deferred', async () => {
    const { me } = gateOf({ policy: DENY_ETC })
    const model = scriptedModel([[toolUse('read', { path: '/etc' }, 'a'), toolUse('read', { path: '/x' }, 'b')]])
    const params = {
      model: 'm',
      max_tokens: 10,
      messages: [{ role: 'user', content: 'go' }],
      tools: guardTools([read], me),
      ...EAGER,
    }
    const runner = guardRunner(model.client.beta.messages.toolRunner(params as never), me)
    const seen: unknown[] = []
    for await (const stream of runner as AsyncIterable<{
      on: (event: string, hear: (block: Block) => void) => void
      finalMessage(): Promise<unknown>
    }>) {
      stream.on('contentBlock', (block) => {
        if (block['id'] === 'b') runner.deferToolCall('b')
      })
      await stream.finalMessage()
      seen.push([...ran])
    }
    expect(seen[0]).toEqual([])
    expect(ran).toEqual([{ path: '/x' }])
  })

  it('guards a tool that is added later: it is no way past the gate', async () => {
    const { me } = gateOf({ policy: DENY_ETC })
    const model = scriptedModel([[toolUse('read', { path: '/etc' })]])
    const params = { model: 'm', max_tokens: 10, messages: [{ role: 'user' as const, content: 'go' }], tools: [] }
    const runner = guardRunner(model.client.beta.messages.toolRunner(params), me)
    const other = betaZodTool({ name: 'other', description: 'Another', inputSchema: z.object({}), run: () => 'x' })
    runner.addTools(read, ...guardTools([other], me))
    await runner
    expect(ran).toEqual([])
    expect(JSON.stringify(runner.params.messages)).toContain('denied_by_policy')
  })

  it('guards a tool that is set later, leaves guarded ones alone, and shows those that never were', async () => {
    const { me } = gateOf({ policy: DENY_ETC })
    const make = (tools: readonly object[]) => {
      const model = scriptedModel([[toolUse('read', { path: '/etc' })], [toolUse('read', { path: '/x' }, 'b')]])
      const params = { model: 'm', max_tokens: 10, messages: [{ role: 'user' as const, content: 'go' }] }
      return guardRunner(model.client.beta.messages.toolRunner({ ...params, tools: tools as never }), me)
    }
    const runner = make([])
    runner.setMessagesParams((params) => ({ ...params, tools: [read] }))
    runner.setMessagesParams({ ...runner.params, max_tokens: 20 })
    await runner
    expect(ran).toEqual([{ path: '/x' }])
    expect(JSON.stringify(runner.params.messages)).toContain('denied_by_policy')
    make([read])
    expect(me.coverage()).toContainEqual(expect.objectContaining({ tool: 'read', standing: 'unknown' }))
  })

  it('is awaited, iterated and left like the runner itself', async () => {
    const { me } = gateOf()
    const make = () => {
      const model = scriptedModel([[toolUse('read', { path: '/x' })]])
      const params = { model: 'm', max_tokens: 10, messages: [{ role: 'user' as const, content: 'go' }] }
      return guardRunner(model.client.beta.messages.toolRunner({ ...params, tools: guardTools([read], me) }), me)
    }
    expect((await make()).content).toMatchObject([{ text: 'done' }])
    for await (const message of make()) {
      expect(message.stop_reason).toBe('tool_use')
      break
    }
    expect(ran).toHaveLength(1)
  })

  it('of another version is an error to the programmer, before anything runs', () => {
    expect(() => guardRunner({ done: async () => undefined } as never, gateOf().me)).toThrow(
      /@anthropic-ai\/sdk in \^1\.0\.0/,
    )
  })

  it('runs nothing when its caller has left', async () => {
    const leaving = new AbortController()
    const { me } = gateOf({
      policy: scriptedPoint(async () => {
        leaving.abort()
        return PERMIT
      }),
    })
    const playing = play(guardTools([read], me), [[toolUse('read', { path: '/x' })]], me, {
      options: { signal: leaving.signal },
    })
    await expect(playing).rejects.toThrow(/abort/i)
    expect(ran).toEqual([])
  })
})

describe('a guarded tool', () => {
  it('is gated in whatever runner calls it the SDK’s way, as the one for sessions does', async () => {
    const { me } = gateOf({ policy: DENY_ETC })
    const [tool] = guardTools([read], me)
    const use = { type: 'agent.custom_tool_use', id: 'sevt_1', name: 'read', input: { path: '/etc' } }
    const outcome = await runRunnableTool(tool, use.input, { toolUse: use as never, toolUseBlock: use as never })
    expect(outcome).toMatchObject({ isError: true })
    expect(ran).toEqual([])
    expect(reportOf(me, 'sevt_1')?.refusal?.code).toBe('denied_by_policy')
  })
})

describe('a toolset', () => {
  const browser = {
    type: 'browser_toolset_20260801',
    run: (_: unknown, use: Block) => {
      ran.push([use['name'], use['input']])
      return [{ type: 'text', text: 'ok' }]
    },
  }

  it('is one tool to the gate, and its member an argument', async () => {
    const decided: unknown[] = []
    const { gate, me } = gateOf({
      policy: scriptedPoint((request) => {
        decided.push(request.context.arguments)
        return noEtc(request)
      }),
    })
    const use = (url: string, id: string) => ({ ...toolUse('navigate', { url }, id), toolset_name: 'browser' })
    const steps = [[use('https://x.test', 'a')], [use('file:///etc', 'b')]]
    const { results } = await play(guardTools([browser], me), steps, me)
    expect(decided).toEqual([
      { member: 'navigate', input: { url: 'https://x.test' } },
      { member: 'navigate', input: { url: 'file:///etc' } },
    ])
    expect(ran).toEqual([['navigate', { url: 'https://x.test' }]])
    expect(results).toMatchObject([{ content: [{ text: 'ok' }] }, { is_error: true, toolset_name: 'browser' }])
    expect(gate.calls.map(({ tool, outcome }) => [tool, outcome])).toEqual([
      ['test/browser', 'permitted'],
      ['test/browser', 'refused'],
    ])
  })
})

describe('guardTools', () => {
  const { me } = gateOf()
  const coded = (tools: readonly object[], options: object = {}) => {
    try {
      guardTools(tools, me, options)
    } catch (error) {
      return Reflect.get(Object(error), 'code')
    }
    return 'no error'
  }
  const plain = (name: unknown) => ({ name, input_schema: { type: 'object' }, run: () => 'x' })
  const client = { callTool: async () => ({ content: [{ type: 'text' as const, text: 'x' }] }) }
  const theirs = () => mcpTools([{ name: 'read', inputSchema: { type: 'object' } }], client)

  it.each([
    ['without a name', [plain('')]],
    ['with a name no tool may have', [plain('rm -rf')]],
    ['that differ in case alone', [plain('read'), plain('Read')]],
    ['that are guarded already', guardTools([plain('read')], gateOf().me)],
    ['of an MCP server that has no name', theirs()],
  ])('refuses tools %s', (_, tools) => {
    expect(coded(tools)).toBe('ERR_TOOL')
  })

  it('refuses what has no run here, by name, unless it is accepted', () => {
    expect(coded([{ name: 'read', input_schema: { type: 'object' } }])).toBe('ERR_UNGATED')
    expect(coded([{ type: 'code_execution_20250825', name: 'code_execution' }])).toBe('ERR_UNGATED')
    const accepted = { ungated: ['code_execution'] }
    expect(coded([{ type: 'code_execution_20250825', name: 'code_execution' }], accepted)).toBe('no error')
  })

  it('takes the tools of an MCP server under its own name, never under ours', async () => {
    const { gate, me: view } = gateOf()
    const [tool] = guardTools(theirs(), view, { server: 'files' })
    await play([tool ?? {}], [[toolUse('read', {})]], view)
    expect(gate.calls).toMatchObject([{ tool: 'files/read', outcome: 'permitted' }])
  })
})

describe('runToolUses', () => {
  const handlers = {
    read: (input: { readonly path: string }) => {
      ran.push(input)
      return `contents of ${input.path}`
    },
  }

  it('answers each use: a result, a refusal, a tool that nobody carries out', async () => {
    const { gate, me } = gateOf({ policy: DENY_ETC })
    const content = [
      { type: 'text', text: 'Let me see.' },
      toolUse('read', { path: '/x' }, 'a'),
      toolUse('read', { path: '/etc' }, 'b'),
      toolUse('constructor', {}, 'c'),
      { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: {} },
    ]
    const results = await runToolUses(content, handlers, me)
    expect(results[0]).toEqual({ type: 'tool_result', tool_use_id: 'a', content: 'contents of /x' })
    expect(results[1]).toMatchObject({ tool_use_id: 'b', is_error: true })
    expect(JSON.stringify(results[2])).toContain('tool_unknown')
    expect(results).toHaveLength(3)
    expect(ran).toEqual([{ path: '/x' }])
    expect(gate.calls.map(({ code }) => code).toSorted()).toEqual([
      'denied_by_policy',
      'tool_unknown',
      'ungated_tool',
      undefined,
    ])
  })

  it('holds arguments to the schemas that the request listed, and wants what has no handler to be named', async () => {
    const { me } = gateOf()
    const tools = [
      { name: 'read', input_schema: z.toJSONSchema(z.object({ path: z.string() })) },
      { type: 'web_search_20250305', name: 'web_search' },
    ]
    const content = [toolUse('read', { path: 7 })]
    await expect(runToolUses(content, handlers, me, { tools })).rejects.toMatchObject({ code: 'ERR_UNGATED' })
    const [result] = await runToolUses(content, handlers, me, { tools, ungated: ['web_search'] })
    expect(JSON.stringify(result)).toContain('arguments_rejected')
    expect(ran).toEqual([])
  })

  it('tells the model that nobody carries out a tool, though the gate only observes', async () => {
    const { gate, me } = gateOf({ observe: { until: Date.now() + 60_000 } })
    const [result] = await runToolUses([toolUse('erase', { path: '/x' }, 'a')], handlers, me)
    expect(result).toMatchObject({ is_error: true })
    expect(JSON.stringify(result)).toContain('tool_unknown')
    expect(gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))).toEqual([
      'not_executed',
    ])
  })

  it('I3: holds arguments to what the request lists now, though its object is the same', async () => {
    const { me } = gateOf()
    const amount = { type: 'integer', maximum: 1_000 }
    const pay = { name: 'pay', description: 'pays', input_schema: { type: 'object', properties: { amount } } }
    const answers: unknown[] = []
    for (const [id, maximum] of [
      ['a', 1_000],
      ['b', 10],
      ['c', 1_000],
    ] as const) {
      amount.maximum = maximum
      answers.push(
        ...(await runToolUses([toolUse('pay', { amount: 900 }, id)], { pay: () => 'paid' }, me, { tools: [pay] })),
      )
    }
    expect(answers).toMatchObject([{ content: 'paid' }, { is_error: true }, { content: 'paid' }])
  })

  it('executes a call once, and one of a later step again', async () => {
    const { me } = gateOf()
    const call = toolUse('read', { path: '/x' })
    await runToolUses([call, call], handlers, me, { step: 2 })
    expect(await runToolUses([call], handlers, me, { step: 2 })).toMatchObject([{ is_error: true }])
    expect(ran).toHaveLength(1)
    await runToolUses([call], handlers, me, { step: 4 })
    expect(ran).toHaveLength(2)
  })

  it('throws a handler’s own error once the other calls have ended', async () => {
    const { me } = gateOf()
    const ended: string[] = []
    const broken = {
      fail: () => {
        throw new Error('disk is full')
      },
      slow: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        ended.push('slow')
        return 'x'
      },
    }
    await expect(runToolUses([toolUse('fail', {}, 'a'), toolUse('slow', {}, 'b')], broken, me)).rejects.toThrow(
      'disk is full',
    )
    expect(ended).toEqual(['slow'])
  })
})
