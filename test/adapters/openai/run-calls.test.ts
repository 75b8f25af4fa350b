import { beforeEach, describe, expect, it } from 'vitest'
import { receiptMetadata, reportOf, runFunctionCalls, runToolCalls } from '../../../adapters/openai/index.ts'
import { type TestGateOptions, testGate } from '../../../src/testing.ts'
import { chatModel, responsesModel } from './model.ts'
import { DENY_ETC } from './policies.ts'

function gateOf(options: TestGateOptions = {}) {
  const gate = testGate(options)
  return { gate, me: gate.as({ user: 'alice', agent: 'support' }, { conversation: 'talk' }) }
}

const ran: unknown[] = []
beforeEach(() => {
  ran.length = 0
})

const handlers = {
  read: (input: { readonly path: string }) => {
    ran.push(input)
    return `contents of ${input.path}`
  },
}

const chatCall = (name: string, text: string, id = 'call_1') => ({
  id,
  type: 'function',
  function: { name, arguments: text },
})
const itemCall = (name: string, text: string, id = 'call_1') => ({
  type: 'function_call',
  call_id: id,
  name,
  arguments: text,
})

/** The same call in both APIs, and what the model is told of it. */
const LOOPS = [
  [
    'runToolCalls',
    async (name: string, text: string, me = gateOf().me) =>
      (await runToolCalls([chatCall(name, text)], handlers, me))[0]?.content,
  ],
  [
    'runFunctionCalls',
    async (name: string, text: string, me = gateOf().me) =>
      (await runFunctionCalls([itemCall(name, text)], handlers, me)).map((answer) =>
        Reflect.get(answer, 'output'),
      )[0] as string,
  ],
] as const

describe.each(LOOPS)('%s', (_, run) => {
  it.each([
    ['duplicate keys', '{"path":"/safe","path":"/etc"}'],
    ['text behind the value', '{"path":"/safe"}}'],
    ['no JSON', 'rm -rf /'],
    ['an integer that readers round', '{"path":"/x","n":9007199254740993}'],
  ])('refuses arguments with %s', async (_words, text) => {
    expect(await run('read', text)).toContain('arguments_rejected')
    expect(ran).toEqual([])
  })

  it.each(['erase', '__proto__', 'constructor', 'toString', '', 'rm -rf /', 'x'.repeat(500)])(
    'tells the model that nobody carries out %j',
    async (name) => {
      expect(await run(name, '{}')).toContain('tool_unknown')
    },
  )

  it('runs the handler with the arguments that were decided, and tells its result', async () => {
    const { gate, me } = gateOf({ policy: DENY_ETC })
    expect(await run('read', '{ "path": "/x" }', me)).toBe('contents of /x')
    expect(ran).toEqual([{ path: '/x' }])
    expect(gate.calls).toMatchObject([{ tool: 'test/read', outcome: 'permitted' }])
  })

  it('refuses what the policy denies', async () => {
    expect(await run('read', '{"path":"/etc"}', gateOf({ policy: DENY_ETC }).me)).toContain('denied_by_policy')
    expect(ran).toEqual([])
  })
})

describe.each(LOOPS)('%s, while the gate only observes', (_, run) => {
  const observing = () => gateOf({ observe: { until: Date.now() + 60_000 } })

  it.each([
    ['a tool that nobody carries out', 'erase', '{}', 'tool_unknown'],
    ['text that nobody can read', 'read', 'rm -rf /', 'arguments_rejected'],
  ])('runs nothing for %s, tells the model, and says so in the receipt', async (_what, name, text, code) => {
    const { gate, me } = observing()
    expect(await run(name, text, me)).toContain(code)
    expect(ran).toEqual([])
    expect(reportOf(me, 'call_1')).toMatchObject({ outcome: 'refused', refusal: { code } })
    const settled = gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))
    expect(settled).toEqual(['not_executed'])
  })

  it('holds back nothing that JSON.parse can read, nor what misses a schema', async () => {
    const { me } = observing()
    await run('read', '{"path":"/a","path":"/b"}', me)
    await run('read', '', me)
    expect(ran).toEqual([{ path: '/b' }, {}])
  })
})

describe.each(LOOPS)('%s', (name) => {
  it('runs one of two calls that share an id', async () => {
    const { me } = gateOf()
    const texts = ['{"path":"/x"}', '{"path":"/y"}', '{"path":"/x"}']
    const told =
      name === 'runToolCalls'
        ? await runToolCalls(
            texts.map((text) => chatCall('read', text)),
            handlers,
            me,
          )
        : await runFunctionCalls(
            texts.map((text) => itemCall('read', text)),
            handlers,
            me,
          )
    expect(told).toHaveLength(3)
    expect(ran).toHaveLength(1)
    expect(JSON.stringify(told[1])).toContain('key_reuse')
  })
})

describe('runToolCalls', () => {
  it('holds the arguments to the schema that the request listed', async () => {
    const { me } = gateOf()
    const parameters = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] }
    const tools = [{ type: 'function', function: { name: 'read', parameters } }]
    const [told] = await runToolCalls([chatCall('read', '{"path":7}')], handlers, me, { tools })
    expect(told?.content).toContain('arguments_rejected')
    expect(told?.content).toContain('path')
    expect(ran).toEqual([])
  })

  it.each([
    ['listed', [{ type: 'function', function: { name: 'read', parameters: { type: 'object' } } }]],
    ['not listed', []],
  ])('refuses a tool that nobody carries out, though the gate knew it once (%s)', async (_, tools) => {
    const { gate, me } = gateOf()
    await runToolCalls([chatCall('read', '{"path":"/x"}')], handlers, me, { tools })
    const [told] = await runToolCalls([chatCall('read', '{"path":"/y"}', 'b')], {}, me, { tools })
    expect(told?.content).toContain('did not run')
    expect(ran).toHaveLength(1)
    expect(gate.calls.map(({ outcome }) => outcome)).toEqual(['permitted', 'refused'])
  })

  it('executes a call once, however often its id comes', async () => {
    const { me } = gateOf()
    const call = chatCall('read', '{"path":"/x"}')
    const told = await runToolCalls([call, call], handlers, me, { step: 2 })
    const later = await runToolCalls([call], handlers, me, { step: 2 })
    expect(ran).toHaveLength(1)
    expect(told.map(({ content }) => content)).toEqual(['contents of /x', 'contents of /x'])
    expect(later[0]?.content).toContain('already_executed')
    expect((await runToolCalls([call], handlers, me, { step: 4 }))[0]?.content).toBe('contents of /x')
  })

  it('throws a handler’s own error once the other calls have ended', async () => {
    const { gate, me } = gateOf()
    const ended: string[] = []
    const broken = {
      fail: () => {
        throw new Error('disk is full')
      },
      slow: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        ended.push('slow')
      },
    }
    const calls = [chatCall('fail', '{}'), chatCall('slow', '{}', 'b')]
    await expect(runToolCalls(calls, broken, me)).rejects.toThrow('disk is full')
    expect(ended).toEqual(['slow'])
    expect(gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))).toEqual([
      'tool_error',
      'ok',
    ])
  })

  it('gates a custom tool, whose argument is plain text', async () => {
    const { me } = gateOf({ policy: DENY_ETC })
    const custom = (input: string, id: string) => ({ id, type: 'custom', custom: { name: 'shell', input } })
    const shell = (text: string) => {
      ran.push(text)
      return 'ok'
    }
    const tools = [{ type: 'custom', custom: { name: 'shell', description: 'Run a command' } }]
    const told = await runToolCalls([custom('ls /x', 'a'), custom('cat /etc', 'b')], { shell }, me, { tools })
    expect(ran).toEqual(['ls /x'])
    expect(told[1]?.content).toContain('denied_by_policy')
  })

  it('wants handlers that are functions; one that is undefined is none', async () => {
    const { me } = gateOf()
    const calls = [chatCall('read', '{}')]
    await expect(runToolCalls(calls, { read: 'x' as never }, me)).rejects.toMatchObject({ code: 'ERR_TOOL' })
    expect((await runToolCalls(calls, { read: undefined }, me))[0]?.content).toContain('tool_unknown')
  })

  it('has nothing to do for a message without calls', async () => {
    expect(await runToolCalls(undefined, handlers, gateOf().me)).toEqual([])
    expect(await runToolCalls(null, handlers, gateOf().me)).toEqual([])
  })

  it('takes the calls of a stream as of any message', async () => {
    const { me } = gateOf({ policy: DENY_ETC })
    const model = chatModel([[{ id: 'call_1', name: 'read', text: '{"path":"/etc"}' }]])
    const messages = [{ role: 'user' as const, content: 'go' }]
    const stream = model.client.chat.completions.stream({ model: 'm', messages })
    const message = await stream.finalMessage()
    const [told] = await runToolCalls(message.tool_calls, handlers, me)
    expect(told).toMatchObject({ role: 'tool', tool_call_id: 'call_1' })
    expect(told?.content).toContain('denied_by_policy')
  })
})

describe('runFunctionCalls', () => {
  it('takes the output of a stream as of any response', async () => {
    const { me } = gateOf({ policy: DENY_ETC })
    const model = responsesModel([[{ id: 'call_1', name: 'read', text: '{"path":"/etc"}' }]])
    const response = await model.client.responses.stream({ model: 'm', input: 'go' }).finalResponse()
    const [told] = await runFunctionCalls(response.output, handlers, me)
    expect(told).toMatchObject({ type: 'function_call_output', call_id: 'call_1' })
    expect(ran).toEqual([])
  })

  it('keeps content blocks, and answers a custom tool in its own shape', async () => {
    const { me } = gateOf()
    const block = { type: 'input_text', text: 'contents' }
    const custom = { type: 'custom_tool_call', call_id: 'b', name: 'shell', input: 'ls' }
    const own = { read: () => [block], shell: (text: string) => text.toUpperCase() }
    expect(await runFunctionCalls([itemCall('read', '{}'), custom], own, me)).toEqual([
      { type: 'function_call_output', call_id: 'call_1', output: [block] },
      { type: 'custom_tool_call_output', call_id: 'b', output: 'LS' },
    ])
  })

  it('marks what ran elsewhere as ungated, once, and denies nothing that has happened', async () => {
    const { gate, me } = gateOf({ policy: DENY_ETC })
    const items = [
      { type: 'web_search_call', id: 'ws_1', status: 'completed' },
      { type: 'mcp_call', id: 'mc_1', server_label: 'wiki', name: 'ask', arguments: '{"q":"/etc"}', output: 'x' },
      { type: 'shell_call', id: 'sh_1', call_id: 'call_sh', action: {} },
      { type: 'message', id: 'm_1' },
    ]
    expect(await runFunctionCalls(items, handlers, me)).toEqual([])
    await runFunctionCalls(items, handlers, me)
    expect(gate.calls.map(({ tool, code }) => [tool, code])).toEqual([
      ['test/web_search', 'ungated_tool'],
      ['wiki/ask', 'ungated_tool'],
      ['test/shell', 'ungated_tool'],
    ])
    const open = gate.coverage().filter(({ standing }) => standing !== 'gated')
    expect(open.map(({ tool, standing, because }) => [tool, standing, because])).toEqual([
      ['shell', 'ungated', 'runs in your own code, outside of the functions that are guarded'],
      ['web_search', 'ungated', 'runs at OpenAI'],
      ['ask', 'ungated', 'runs at OpenAI'],
    ])
  })

  it('wants what cannot be gated to be named', async () => {
    const tools = [{ type: 'function', name: 'read', parameters: {} }, { type: 'web_search' }]
    const { me } = gateOf()
    await expect(runFunctionCalls([], handlers, me, { tools })).rejects.toMatchObject({ code: 'ERR_UNGATED' })
    await expect(runFunctionCalls([], handlers, me, { tools, ungated: ['web_search'] })).resolves.toEqual([])
  })

  it('decides a call that OpenAI holds, and says why not in the answer', async () => {
    const { me } = gateOf({ policy: DENY_ETC })
    const listing = {
      type: 'mcp_list_tools',
      id: 'ml',
      server_label: 'wiki',
      tools: [{ name: 'ask', input_schema: {} }],
    }
    const held = (q: string, id: string) => ({
      type: 'mcp_approval_request',
      id,
      server_label: 'wiki',
      name: 'ask',
      arguments: JSON.stringify({ q }),
    })
    const [yes, no] = await runFunctionCalls([listing, held('x', 'a'), held('/etc', 'b')], handlers, me)
    expect(yes).toEqual({ type: 'mcp_approval_response', approval_request_id: 'a', approve: true })
    expect(no).toMatchObject({ type: 'mcp_approval_response', approval_request_id: 'b', approve: false })
    expect(Reflect.get(no ?? {}, 'reason')).toContain('denied_by_policy')
    const call = {
      type: 'mcp_call',
      id: 'mc',
      approval_request_id: 'a',
      server_label: 'wiki',
      name: 'ask',
      error: { type: 'x' },
    }
    await runFunctionCalls([call], handlers, me)
    expect(reportOf(me, 'a')?.receipts.map(({ kind }) => kind)).toEqual(['decision', 'outcome'])
  })
})

describe('receipts', () => {
  it('are in a side channel by call id, and their ids in metadata that the API takes', async () => {
    const { me, gate } = gateOf({ policy: DENY_ETC })
    const calls = Array.from({ length: 20 }, (_, index) => chatCall('read', '{"path":"/x"}', `call_${index}`))
    await runToolCalls([...calls, chatCall('read', '{"path":"/etc"}', `denied_${'x'.repeat(80)}`)], handlers, me)
    const ids = [...calls.map(({ id }) => id), `denied_${'x'.repeat(80)}`, 'never_seen']
    const metadata = receiptMetadata(me, ids)
    expect(Object.keys(metadata)).toHaveLength(16)
    expect(Object.keys(metadata).every((key) => key.length <= 64)).toBe(true)
    const written = await gate.receipts()
    const report = reportOf(me, 'call_19')
    expect(metadata['holdpoint.call_19']).toBe(`permitted ${report?.receipts.map(({ id }) => id).join(' ')}`)
    for (const { jws } of report?.receipts ?? []) expect(written.map((receipt) => receipt.jws)).toContain(jws)
    expect(Object.values(metadata).at(-1)).toMatch(/^refused r_/)
    expect(Object.keys(receiptMetadata(me, ids, 2))).toHaveLength(2)
    expect(receiptMetadata(me, ids, 0)).toEqual({})
    expect(JSON.stringify(metadata)).not.toContain('eyJ')
  })

  it('of another conversation are not found', async () => {
    const { gate, me } = gateOf()
    await runToolCalls([chatCall('read', '{"path":"/x"}')], handlers, me)
    expect(reportOf(me, 'call_1')).toBeDefined()
    expect(reportOf(gate.as({ user: 'bob' }, { conversation: 'talk' }), 'call_1')).toBeUndefined()
  })
})
