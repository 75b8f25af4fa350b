import { type AgentInputItem, type AgentOutputItem, hostedMcpTool, OpenAIResponsesModel } from '@openai/agents'
import { beforeEach, describe, expect, it } from 'vitest'
import { guardAgent, guardTools, markHosted } from '../../../adapters/openai-agents/index.ts'
import { type TestGateOptions, testGate } from '../../../src/testing.ts'
import { DENY, PERMIT, scriptedPoint } from '../../support/scripted-point.ts'
import { agentOf, runnerFor, ScriptedModel } from './host.ts'

function gateOf(options: TestGateOptions = {}) {
  const gate = testGate(options)
  return { gate, me: gate.as({ user: 'alice' }, { conversation: 'talk', channel: 'chat' }) }
}

/** An item about a hosted MCP server, as the host has it of the provider. */
function hosted(type: string, id: string, data: object = {}): AgentOutputItem {
  const { output, ...more } = data as { readonly output?: string }
  const providerData = { type, id, server_label: 'wiki', ...more }
  return {
    type: 'hosted_tool_call',
    id,
    name: type,
    status: 'completed',
    ...(output === undefined ? {} : { output }),
    providerData,
  }
}

const LISTING = hosted('mcp_list_tools', 'ml', {
  tools: [{ name: 'ask', input_schema: { type: 'object', properties: { q: { type: 'string' } } } }],
})
const asks = (q: string, id = 'mr_1') =>
  hosted('mcp_approval_request', id, { name: 'ask', arguments: JSON.stringify({ q }) })
const ran = (q: string, id = 'mr_1') =>
  hosted('mcp_call', `call-${id}`, {
    name: 'ask',
    arguments: JSON.stringify({ q }),
    approval_request_id: id,
    error: null,
    output: 'forty-two',
  })

const persons: string[] = []
beforeEach(() => {
  persons.length = 0
})
const person =
  (approve: boolean, reason = 'Not now.') =>
  async (_context: unknown, { rawItem }: { readonly rawItem: object }) => {
    persons.push(String(Reflect.get(rawItem, 'name')))
    return approve ? { approve } : { approve, reason }
  }

const DENY_ETC = scriptedPoint(({ context }) =>
  JSON.stringify(context.arguments).includes('/etc') ? { ...DENY, sentence: 'Not there.' } : PERMIT,
)

function wiki(more: object = {}) {
  return hostedMcpTool({
    serverLabel: 'wiki',
    serverUrl: 'https://wiki.test',
    requireApproval: 'always',
    ...more,
  } as Parameters<typeof hostedMcpTool>[0])
}

/** What the provider was told of each held call. */
function told(model: ScriptedModel): readonly object[] {
  const input = model.requests.at(-1)?.input ?? []
  return (typeof input === 'string' ? [] : input).flatMap((item) => {
    const data: unknown = Reflect.get(item, 'providerData')
    return Reflect.get(item, 'name') === 'mcp_approval_response' ? [Object(data)] : []
  })
}

describe.each([false, true])('a hosted MCP server whose calls are held (stream: %s)', (stream) => {
  const play = async (
    me: ReturnType<typeof gateOf>['me'],
    steps: readonly (readonly AgentOutputItem[])[],
    more: object = {},
    input: string | AgentInputItem[] = 'go',
  ) => {
    const model = new ScriptedModel(steps)
    const agent = guardAgent(agentOf(model, { tools: [wiki(more)] }), me)
    if (!stream) return { model, result: await runnerFor(me).run(agent, input) }
    const result = await runnerFor(me).run(agent, input, { stream: true })
    await result.completed
    return { model, result }
  }

  it('runs what the gate permits, once a person said yes, and its outcome is on record', async () => {
    const { gate, me } = gateOf()
    const { model, result } = await play(me, [[LISTING, asks('x')], [ran('x')]], { onApproval: person(true) })
    expect(told(model)).toMatchObject([{ approve: true, approval_request_id: 'mr_1' }])
    expect([persons, result.finalOutput]).toEqual([['ask'], 'done'])
    await markHosted(result.newItems, me)
    expect(gate.calls).toMatchObject([{ tool: 'wiki/ask', outcome: 'permitted' }])
    const settled = gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))
    expect(settled).toEqual(['ok'])
    expect(gate.coverage()).toEqual([{ host: 'openai-agents', server: 'wiki', tool: 'ask', standing: 'gated' }])
  })

  it.each([
    ['other arguments', { arguments: '{"q":"/etc"}' }],
    ['arguments of two readings', { arguments: '{"q":"/etc","q":"x"}' }],
    ['another tool', { name: 'erase' }],
    ['another server', { server_label: 'wiki2' }],
  ])('I3: has an unknown outcome where it ran with %s, and the operator hears of it', async (_, otherwise) => {
    const { gate, me } = gateOf()
    const ended = ran('x')
    const other = { ...ended, providerData: { ...ended.providerData, ...otherwise } }
    await play(me, [[LISTING, asks('x')], [other]], { onApproval: person(true) })
    const settled = gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))
    const warned = gate.events.flatMap((event) => (event.event === 'programmer-warned' ? [event.code] : []))
    expect([settled, warned]).toEqual([['unknown'], ['ran_with_other_arguments']])
    expect(gate.coverage()).toMatchObject([{ server: 'wiki', tool: 'ask', standing: 'unknown' }])
  })

  it('ends no run where the gate only observed, and nobody can say what had been asked for', async () => {
    const { gate, me } = gateOf({ observe: { until: Date.now() + 60_000 } })
    const unread = asks('x')
    const request = { ...unread, providerData: { ...unread.providerData, arguments: '{"q":"/etc","q":"x"}' } }
    const { result } = await play(me, [[LISTING, request], [ran('x')]], { onApproval: person(true) })
    expect(result.finalOutput).toBe('done')
    const warned = gate.events.flatMap((event) => (event.event === 'programmer-warned' ? [event.code] : []))
    expect(warned).toContain('ran_with_other_arguments')
  })

  it('is the same call with other white space', async () => {
    const { gate, me } = gateOf()
    const ended = ran('x')
    const spaced = { ...ended, providerData: { ...ended.providerData, arguments: '{ "q": "x" }' } }
    await play(me, [[LISTING, asks('x')], [spaced]], { onApproval: person(true) })
    expect(gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))).toEqual(['ok'])
  })

  it('asks nobody about what the policy denies, tells the model why, and goes on', async () => {
    const { me } = gateOf({ policy: DENY_ETC })
    const { model, result } = await play(me, [[LISTING, asks('/etc')]], { onApproval: person(true) })
    expect(told(model)).toMatchObject([{ approve: false, reason: expect.stringContaining('denied_by_policy') }])
    expect([persons, result.finalOutput]).toEqual([[], 'done'])
  })

  it('asks the gate anew where a person took longer than a permit lasts', async () => {
    let late = 0
    const clock = { now: () => Date.now(), monotonic: () => performance.now() + late }
    const { gate, me } = gateOf({ permitTtlMs: 1_000, clock })
    const slow = async () => {
      late += 5_000
      return { approve: true }
    }
    const { model } = await play(me, [[LISTING, asks('x')], [ran('x')]], { onApproval: slow })
    expect(told(model)).toMatchObject([{ approve: true }])
    const settled = gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))
    expect(settled).toEqual(['not_executed', 'ok'])
  })

  it('decides a run that is taken up twice at once as one call', async () => {
    const { gate, me } = gateOf()
    let release = () => {}
    const both = new Promise<void>((resolve) => {
      release = resolve
    })
    const together = async () => {
      persons.push('asked')
      if (persons.length === 2) release()
      await both
      return { approve: true }
    }
    const [one, other] = await Promise.all(
      [1, 2].map(() => play(me, [[LISTING, asks('x')], [ran('x')]], { onApproval: together })),
    )
    const answers = [one, other].flatMap((played) => (played === undefined ? [] : told(played.model)))
    expect(answers.map((answer) => Reflect.get(answer, 'approve')).toSorted()).toEqual([false, true])
    const settled = gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))
    expect(settled).toEqual(['ok'])
  })

  it('runs nothing that a person said no to, nor a tool that was never listed', async () => {
    const { me } = gateOf()
    const no = await play(me, [[LISTING, asks('x')]], { onApproval: person(false) })
    expect(told(no.model)).toMatchObject([{ approve: false, reason: 'Not now.' }])
    const other = gateOf().me
    const unlisted = await play(other, [[asks('x')]], { onApproval: person(true) })
    expect(told(unlisted.model)).toMatchObject([{ approve: false, reason: expect.stringContaining('tool_unknown') }])
  })

  it('wants the principal’s yes where its author has no word of their own, and takes it once', async () => {
    const { me } = gateOf()
    const first = await play(me, [[LISTING, asks('x')]])
    expect(told(first.model)).toMatchObject([{ approve: false, reason: expect.stringContaining('approval_required') }])
    const held = { tool: 'ask', server: 'wiki', inputText: '{"q":"x"}', callId: 'mr_1' }
    await me.answer((await me.requestFor(held))?.ref ?? '', 'approved')
    const again = await play(me, [[LISTING, asks('x', 'mr_2')], [ran('x', 'mr_2')]])
    expect(told(again.model)).toMatchObject([{ approve: true }])
    const third = await play(me, [[LISTING, asks('x', 'mr_3')]])
    expect(told(third.model)).toMatchObject([{ approve: false }])
  })

  it('runs nothing on a yes that a saved conversation brings along', async () => {
    const { me } = gateOf()
    const yes = (approve: unknown, names: object = { approval_request_id: 'mr_1' }): AgentInputItem => ({
      type: 'hosted_tool_call',
      name: 'mcp_approval_response',
      providerData: { approve, ...names },
    })
    const id = 'mr_1'
    const odd = [yes('yes', { approvalRequestId: id }), yes(true, { type: 'mcp_call', approval_request_id: id })]
    for (const said of [yes(true), ...odd]) {
      const { model } = await play(me, [], {}, [asks('x'), said] as AgentInputItem[])
      expect(told(model)).toMatchObject([{ approve: false }])
    }
    // What has run since is history.
    const done = await play(me, [], {}, [asks('x'), yes(true), ran('x')] as AgentInputItem[])
    expect(told(done.model)).toMatchObject([{ approve: true }])
  })

  it('runs nothing on an approval for good that the host keeps', async () => {
    const { me } = gateOf({ policy: DENY_ETC })
    const model = new ScriptedModel([[LISTING, asks('/etc')], [asks('/etc', 'mr_2')]])
    const open = agentOf(model, { name: 'Support', tools: [wiki()] })
    const paused = await runnerFor(me).run(open, 'go')
    for (const item of paused.interruptions) paused.state.approve(item, { alwaysApprove: true })
    const guarded = guardAgent(open, me)
    paused.state._currentAgent = guarded as never
    await runnerFor(me).run(guarded, paused.state)
    for (const { approve } of told(model) as readonly { readonly approve: boolean }[]) expect(approve).toBe(false)
    expect(told(model)).toHaveLength(2)
  })

  it('is not approved without a person while the gate only observes', async () => {
    const { me } = gateOf({ observe: { until: Date.now() + 60_000 } })
    const alone = await play(me, [[LISTING, asks('x')]])
    expect(told(alone.model)).toMatchObject([{ approve: false }])
    const asked = await play(me, [[LISTING, asks('y', 'mr_2')]], { onApproval: person(true) })
    expect(told(asked.model)).toMatchObject([{ approve: true }])
  })
})

/** What the provider itself gets to read: the host writes every spelling of a member as one. */
async function sent(input: readonly object[]): Promise<readonly object[]> {
  const bodies: { readonly input: readonly object[] }[] = []
  const create = (body: { readonly input: readonly object[] }) => {
    bodies.push(body)
    const content = [{ type: 'output_text', text: 'done', annotations: [] }]
    const output = [{ type: 'message', id: 'm', role: 'assistant', status: 'completed', content }]
    const response = { id: 'r', output, usage: {} }
    const data = Promise.resolve(response)
    return Object.assign(data, { withResponse: async () => ({ data: response, response: new Response() }) })
  }
  const model = new OpenAIResponsesModel({ responses: { create } } as never, 'm')
  const { me } = gateOf()
  const agent = guardAgent(agentOf(model as never, { tools: [wiki()] }), me)
  await runnerFor(me).run(agent, [...input] as AgentInputItem[])
  return bodies.flatMap((body) => body.input)
}

it.each([
  ['a call that ran for another', [{ name: 'mcp_call', approval_request_id: 'mr_1', approvalRequestId: 'mr_0' }], {}],
  ['a call that says no request', [{ name: 'mcp_call' }], { approval_requestId: 'mr_1' }],
  [
    'a request of another server',
    [{ name: 'mcp_approval_request', id: 'mr_0', server_label: 'other' }],
    { approval_request_id: 'mr_0', approvalRequestId: 'mr_1' },
  ],
])('I4: takes no foreign yes for the spelling of its id, beside %s', async (_, beside, spelled) => {
  const made = beside.map(({ name, ...data }) => hosted(name, `i-${name}`, { name: 'ask', arguments: '{}', ...data }))
  const id = Object.keys(spelled).length === 0 ? { approval_request_id: 'mr_1' } : spelled
  const yes = { type: 'unknown', providerData: { type: 'mcp_approval_response', approve: true, ...id } }
  const input = await sent([asks('x'), ...made, yes])
  const yeses = input.filter((item) => Reflect.get(item, 'type') === 'mcp_approval_response')
  expect(yeses).toMatchObject([{ approve: false }])
})

describe('a hosted MCP server', () => {
  it.each([
    ['that holds no call', wiki({ requireApproval: 'never' })],
    ['that holds some', wiki({ requireApproval: { always: { toolNames: ['ask'] } } })],
  ])('%s is an error until it is accepted, by the host’s name or its own', (_, tool) => {
    const { gate, me } = gateOf()
    const agent = () => agentOf(new ScriptedModel([]), { tools: [tool] })
    expect(() => guardAgent(agent(), me)).toThrow(expect.objectContaining({ code: 'ERR_UNGATED' }))
    guardAgent(agent(), me, { ungated: ['wiki'] })
    guardAgent(agent(), me, { ungated: ['hosted_mcp'] })
    expect(gate.coverage()).toMatchObject([{ tool: 'hosted_mcp', standing: 'ungated' }])
  })

  it('is an error where nobody sees what its model is told: in a list of tools, and with a model that is a name', () => {
    const { me } = gateOf()
    expect(() => guardTools([wiki()], me)).toThrow(/guardAgent/)
    const named = agentOf('gpt-5.5' as never, { tools: [wiki()] })
    expect(() => guardAgent(named, me)).toThrow(expect.objectContaining({ code: 'ERR_UNGATED' }))
  })

  it('has a name that no server of ours may have: the programmer hears of it', () => {
    const { me } = gateOf()
    const agent = agentOf(new ScriptedModel([]), { tools: [wiki({ serverLabel: 'My Wiki' })] })
    expect(() => guardAgent(agent, me)).toThrow(expect.objectContaining({ code: 'ERR_TOOL' }))
  })

  it('stays as it was for whoever has the unguarded agent', () => {
    const tool = wiki()
    guardAgent(agentOf(new ScriptedModel([]), { tools: [tool] }), gateOf().me)
    expect(Reflect.get(tool.providerData ?? {}, 'on_approval')).toBeUndefined()
  })
})
