import {
  Agent,
  attachClientToolSearchExecutor,
  getClientToolSearchExecutor,
  Runner,
  RunState,
  type Tool,
  tool,
  toolNamespace,
  webSearchTool,
} from '@openai/agents'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  createTripwire,
  guardAgent,
  guardTools,
  type HoldpointData,
  markHosted,
} from '../../../adapters/openai-agents/index.ts'
import type { Gate } from '../../../src/index.ts'
import { type TestGate, type TestGateOptions, testGate } from '../../../src/testing.ts'
import { DENY, PERMIT, scriptedPoint } from '../../support/scripted-point.ts'
import { agentOf, functionCall, runnerFor, ScriptedModel, told } from './host.ts'

const path = z.object({ path: z.string(), force: z.boolean().default(false) })

function gateOf(options: TestGateOptions = {}, channel?: 'chat'): { readonly gate: TestGate; readonly me: Gate } {
  const gate = testGate(options)
  return {
    gate,
    me: gate.as({ user: 'alice' }, { conversation: 'talk', ...(channel === undefined ? {} : { channel }) }),
  }
}

function denying(name: string) {
  return scriptedPoint(({ resource }) =>
    resource.id === `test/${name}` ? { ...DENY, sentence: 'Not today.' } : PERMIT,
  )
}

/** A tool that writes down what it was run with. */
function eraser(ran: unknown[], more: object = {}): Tool {
  return tool({
    name: 'erase',
    description: 'Erases a file',
    parameters: path,
    execute: (input: unknown) => {
      ran.push(input)
      return 'gone'
    },
    ...more,
  }) as Tool
}

describe('while the gate only observes', () => {
  it('arguments that strict reading refuses reach a tool as the host by itself reads them, or not at all', async () => {
    const { me } = gateOf({ observe: { until: Date.now() + 60_000 } })
    const ran: unknown[] = []
    const twice = '{"path":"/a","path":"/b","force":true}'
    const model = new ScriptedModel([[functionCall('erase', twice), functionCall('erase', 'rm -rf /', 'c2')]])
    const result = await runnerFor(me).run(agentOf(model, { tools: guardTools([eraser(ran)], me) }), 'go')
    expect(ran).toEqual([{ path: '/b', force: true }])
    expect(result.finalOutput).toBe('done')
  })
})

describe('tools that no gate can stand in front of', () => {
  it('are an error until they are accepted by name, and leave a receipt for each use, once', async () => {
    const { gate, me } = gateOf()
    expect(() => guardTools([webSearchTool()], me)).toThrow(/web_search.*ungated: \['web_search'\]/s)
    const model = new ScriptedModel([
      [{ type: 'hosted_tool_call', id: 'ws1', name: 'web_search_call', status: 'completed' }],
    ])
    const tools = guardTools([webSearchTool()], me, { ungated: ['web_search'] })
    const result = await runnerFor(me).run(agentOf(model, { tools }), 'go')
    await markHosted(result.newItems, me)
    await markHosted(result.newItems, me)
    expect(gate.calls).toEqual([expect.objectContaining({ tool: 'test/web_search', code: 'ungated_tool' })])
    expect(gate.coverage()).toEqual([
      {
        host: 'openai-agents',
        server: 'test',
        tool: 'web_search',
        standing: 'ungated',
        because: 'runs on the provider',
      },
    ])
  })

  it('cannot hand the agent tools that nobody guarded: what a client’s tool search loads passes the gate', async () => {
    const { me } = gateOf({ policy: denying('erase') })
    const ran: unknown[] = []
    const search = attachClientToolSearchExecutor({ type: 'hosted_tool', name: 'tool_search' }, () => [eraser(ran)])
    const [guarded] = guardTools([search], me, { ungated: ['tool_search'] })
    const executor = getClientToolSearchExecutor(guarded as Tool)
    const [loaded] = [(await executor?.({} as never)) ?? []].flat()
    const model = new ScriptedModel([[functionCall('erase', { path: '/x' })]])
    await runnerFor(me).run(agentOf(model, { tools: [loaded as Tool] }), 'go')
    expect(ran).toEqual([])
    expect(told(model, 'c1')).toContain('denied_by_policy')
  })
})

const nothing = async (): Promise<string> => 'x'

describe('mistakes of the programmer', () => {
  it.each([
    ['a tool without a name', [{ type: 'function', invoke: nothing }], 'ERR_TOOL', /without a name/],
    ['a name that no tool may have', [{ type: 'function', name: 'a b', invoke: nothing }], 'ERR_TOOL', /a b/],
    [
      'a function tool without a function',
      [{ type: 'function', name: 'odd' }],
      'ERR_HOST',
      /@openai\/agents in \^0\.20/,
    ],
    [
      'a shell of the provider’s',
      [{ type: 'shell', name: 'shell', environment: { type: 'container_auto' } }],
      'ERR_UNGATED',
      /shell/,
    ],
    ['a tool of a kind that nobody knows', [{ type: 'telepathy', name: 'read_mind' }], 'ERR_UNGATED', /read_mind/],
  ])('%s is an error that says what to do', (_what, tools, code, words) => {
    const { me } = gateOf()
    const guard = () => guardTools(tools as object[], me)
    expect(guard).toThrow(expect.objectContaining({ code }))
    expect(guard).toThrow(words)
  })

  it('tools that are guarded twice are an error', () => {
    const { me } = gateOf()
    const tools = guardTools([eraser([])], me)
    expect(() => guardTools(tools, me)).toThrow(/guarded already: erase/)
  })
})

describe('what a model writes', () => {
  it.each([
    ['one member twice', '{"path":"/ok","path":"/etc/passwd","force":false}'],
    ['another type than the schema has', '{"path":7,"force":false}'],
    ['a prototype', '{"path":"/x","force":false,"__proto__":{"admin":true}}'],
  ])('arguments with %s never run, and the run goes on', async (_what, text) => {
    for (const channel of [undefined, 'chat'] as const) {
      const { me } = gateOf({}, channel)
      const ran: unknown[] = []
      const model = new ScriptedModel([[functionCall('erase', text)]])
      const result = await runnerFor(me).run(agentOf(model, { tools: guardTools([eraser(ran)], me) }), 'go')
      expect(ran).toEqual([])
      expect(told(model, 'c1')).toContain('arguments_rejected')
      expect(result.finalOutput).toBe('done')
    }
  })

  it('what may be left out may be left out, by models that are not strict too', async () => {
    const { me } = gateOf()
    const ran: unknown[] = []
    const parameters = z.object({ path: z.string(), depth: z.number().optional() })
    const tools = guardTools([eraser(ran, { parameters })], me)
    const calls = [functionCall('erase', { path: '/a' }), functionCall('erase', { path: '/b', depth: null }, 'c2')]
    await runnerFor(me).run(agentOf(new ScriptedModel([calls]), { tools }), 'go')
    expect(ran).toEqual([{ path: '/a' }, { path: '/b' }])
  })

  it.each(['erased', 'constructor', '__proto__'])(
    'a tool that does not exist (%s) is refused, and the run goes on',
    async (name) => {
      const { gate, me } = gateOf()
      const model = new ScriptedModel([[functionCall(name, {})]])
      const result = await runnerFor(me).run(agentOf(model, { tools: guardTools([eraser([])], me) }), 'go')
      expect(told(model, 'c1')).toContain('tool_unknown')
      expect(result.finalOutput).toBe('done')
      expect(gate.calls.map(({ code }) => code)).toEqual(['tool_unknown'])
    },
  )

  it.each(['{"path": /x', '{"path":"/ok","force":false} {"path":"/x"}', ''])(
    'text that the host itself cannot read (%s) never runs, and no person is asked about it',
    async (text) => {
      for (const channel of [undefined, 'chat'] as const) {
        const { me } = gateOf({}, channel)
        const ran: unknown[] = []
        const model = new ScriptedModel([[functionCall('erase', text)]])
        const result = await runnerFor(me).run(agentOf(model, { tools: guardTools([eraser(ran)], me) }), 'go')
        expect([ran, result.interruptions]).toEqual([[], []])
        // In the host's words: it keeps what it could not read from whoever it tells of it.
        expect(told(model, 'c1')).toMatch(/parsing tool arguments|redacted/)
        expect(result.finalOutput).toBe('done')
      }
    },
  )

  it('a name in one namespace is not the same name in another', async () => {
    const { me } = gateOf({ policy: denying('files.erase') })
    const [files, notes]: unknown[][] = [[], []]
    const tools = guardTools(
      [
        ...toolNamespace({ name: 'files', description: 'd', tools: [eraser(files ?? []) as never] }),
        ...toolNamespace({ name: 'notes', description: 'd', tools: [eraser(notes ?? []) as never] }),
      ],
      me,
    )
    const call = (namespace: string) => ({ ...functionCall('erase', { path: '/x' }, namespace), namespace }) as never
    const model = new ScriptedModel([[call('files'), call('notes')]])
    await runnerFor(me).run(agentOf(model, { tools: tools as Tool[] }), 'go')
    expect([files, notes]).toEqual([[], [{ path: '/x', force: false }]])
  })
})

describe('a tool behind the gate', () => {
  it('waits for a hung policy no longer than its own time, so that no hook can hang a run', async () => {
    const { gate, me } = gateOf({ timeoutMs: 1_000 })
    gate.outage()
    const ran: unknown[] = []
    const model = new ScriptedModel([[functionCall('erase', { path: '/x' })]])
    const tools = guardTools([eraser(ran, { timeoutMs: 40 })], me)
    const result = await runnerFor(me).run(agentOf(model, { tools }), 'go')
    expect(told(model, 'c1')).toContain('timed out')
    expect([ran, result.finalOutput]).toEqual([[], 'done'])
  })

  it('puts receipts beside its output, with what its author puts there, and they survive a saved state', async () => {
    const { gate, me } = gateOf({ policy: denying('read') })
    const ran: unknown[] = []
    const read = tool({ name: 'read', description: 'd', parameters: path, execute: () => 'x' }) as Tool
    const extracted = { customDataExtractor: () => ({ mine: 1 }) }
    const model = new ScriptedModel([
      [functionCall('erase', { path: '/x' }), functionCall('read', { path: '/y' }, 'c2')],
    ])
    const agent = agentOf(model, { tools: guardTools([eraser(ran, extracted), read], me) })
    const result = await runnerFor(me).run(agent, 'go')
    const state = await RunState.fromString(agent, result.state.toString())
    const saved = JSON.parse(state.toString()) as {
      generatedItems: { customData?: { holdpoint?: HoldpointData; mine?: 1 } }[]
    }
    const beside = saved.generatedItems.flatMap(({ customData }) => (customData === undefined ? [] : [customData]))
    expect(beside.map(({ mine, holdpoint }) => [mine, holdpoint?.outcome, holdpoint?.refusal?.code])).toEqual([
      [1, 'permitted', undefined],
      [undefined, 'refused', 'denied_by_policy'],
    ])
    const written = (await gate.receipts()).filter(({ kind }) => kind !== 'open').map(({ id }) => id)
    expect(beside.flatMap(({ holdpoint }) => holdpoint?.receipts.map(({ id }) => id)).sort()).toEqual(written.sort())
  })

  it('keeps a schema of results for results: a refusal is text, and the run goes on', async () => {
    const { me } = gateOf({ policy: denying('weather') })
    const weather = tool({
      name: 'weather',
      description: 'd',
      parameters: path,
      outputSchema: z.object({ celsius: z.number() }),
      execute: async () => ({ celsius: 20 }),
    }) as Tool
    const model = new ScriptedModel([[functionCall('weather', { path: '/x' })]])
    const result = await runnerFor(me).run(agentOf(model, { tools: guardTools([weather], me) }), 'go')
    expect(told(model, 'c1')).toContain('denied_by_policy')
    expect(result.finalOutput).toBe('done')
  })

  it('tells the model beside parts of a result, as beside text, that nobody checked the call', async () => {
    const { gate, me } = gateOf({ failMode: { low: 'open' }, tools: { draw: { materiality: 'low' } } })
    gate.outage('refused')
    const draw = tool({
      name: 'draw',
      description: 'd',
      parameters: path,
      execute: async () => ({ type: 'text' as const, text: 'a picture' }),
    }) as Tool
    const model = new ScriptedModel([[functionCall('draw', { path: '/x' })]])
    await runnerFor(me).run(agentOf(model, { tools: guardTools([draw], me) }), 'go')
    expect(told(model, 'c1')).toContain('a picture')
    expect(told(model, 'c1')).toContain('no policy answered')
  })

  it('ends a run by the error of its own that ends it without us', async () => {
    const failing = tool({
      name: 'erase',
      description: 'd',
      parameters: path,
      errorFunction: null,
      execute: () => {
        throw new Error('disk is full')
      },
    }) as Tool
    const { gate, me } = gateOf()
    const ending = async (tools: Tool[]) => {
      const run = new Runner({ tracingDisabled: true })
      return await run.run(agentOf(new ScriptedModel([[functionCall('erase', { path: '/x' })]]), { tools }), 'go').then(
        () => 'went on',
        (error: Error) => `${error.name}: ${error.message}`,
      )
    }
    expect(await ending(guardTools([failing], me))).toBe(await ending([failing]))
    expect(gate.events.filter(({ event }) => event === 'call-settled')).toMatchObject([{ status: 'tool_error' }])
  })
})

describe('an obligation', () => {
  it('is in what the tool reads: the decided arguments, not the text that the model wrote', async () => {
    const owed = [{ id: 'o1', type: 'limit', properties: { path: '/amount', max: 100 } }]
    const { me } = gateOf({ policy: scriptedPoint(() => ({ ...PERMIT, obligations: owed })) })
    const ran: unknown[] = []
    const pay = tool({
      name: 'pay',
      description: 'd',
      parameters: z.object({ amount: z.number() }),
      execute: (input: unknown) => {
        ran.push(input)
        return 'paid'
      },
    }) as Tool
    const model = new ScriptedModel([[functionCall('pay', { amount: 5000 })]])
    await runnerFor(me).run(agentOf(model, { tools: guardTools([pay], me) }), 'go')
    expect(ran).toEqual([{ amount: 100 }])
    expect(told(model, 'c1')).toContain('Note from holdpoint')
  })
})

describe('the tripwire', () => {
  it('warns of a tool that was given to the agent beside the guarded ones, and of nothing else', async () => {
    const { gate, me } = gateOf({ policy: denying('erase') })
    const agent = new Agent({ name: 'A', tools: [eraser([])] })
    const guarded = guardAgent(agent, me)
    const model = new ScriptedModel([[functionCall('erase', { path: '/x' }), functionCall('late', {}, 'c2')]])
    guarded.model = model
    guarded.tools.push(tool({ name: 'late', description: 'd', parameters: z.object({}), execute: () => 'x' }) as Tool)
    await runnerFor(me).run(guarded, 'go')
    const warned = gate.events.filter(({ event }) => event === 'programmer-warned')
    expect(warned).toMatchObject([{ code: 'ran_without_admission', message: expect.stringContaining('late') }])
    expect(gate.coverage().find(({ tool: name }) => name === 'late')?.standing).toBe('unknown')
  })

  it('hears of an agent that did not go through guardAgent, where its runner has it', async () => {
    const { gate, me } = gateOf()
    const runner = runnerFor(me)
    runner.on('agent_tool_end', createTripwire(me))
    const tools = [
      eraser([]),
      ...guardTools(
        [tool({ name: 'fine', description: 'd', parameters: z.object({}), execute: () => 'x' }) as Tool],
        me,
      ),
    ]
    const model = new ScriptedModel([[functionCall('erase', { path: '/x' }), functionCall('fine', {}, 'c2')]])
    await runner.run(agentOf(model, { tools }), 'go')
    expect(gate.events.filter(({ event }) => event === 'programmer-warned')).toMatchObject([
      { code: 'ran_without_admission', message: expect.stringContaining('erase') },
    ])
  })
})
