import { Agent, handoff, type Tool, tool } from '@openai/agents'
import { SandboxAgent, shell } from '@openai/agents/sandbox'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { guardAgent } from '../../../adapters/openai-agents/index.ts'
import { type TestGate, testGate } from '../../../src/testing.ts'
import { DENY, PERMIT, scriptedPoint } from '../../support/scripted-point.ts'
import { agentOf, functionCall, runnerFor, ScriptedModel, told } from './host.ts'

function eraser(ran: unknown[]): Tool {
  return tool({
    name: 'erase',
    description: 'Erases a file',
    parameters: z.object({ path: z.string() }),
    execute: (input: unknown) => {
      ran.push(input)
      return 'gone'
    },
  }) as Tool
}

const ERASE = [functionCall('erase', { path: '/x' })]

function denying(): TestGate {
  return testGate({
    policy: scriptedPoint(({ resource }) =>
      resource.id === 'test/erase' ? { ...DENY, sentence: 'Not today.' } : PERMIT,
    ),
  })
}

describe('the tools of every agent that a run can reach', () => {
  it.each(['agent', 'handoff', 'guarded'] as const)(
    'are behind the gate after a handoff (%s), in circles too',
    async (kind) => {
      const me = denying().as({ user: 'alice' }, { conversation: 'talk' })
      const ran: unknown[] = []
      const inner = new ScriptedModel([ERASE])
      const cashier = agentOf(inner, { name: 'Cashier', tools: [eraser(ran)] })
      const desk = agentOf(new ScriptedModel([[functionCall('transfer_to_Cashier', {}, 'h1')]]), { name: 'Desk' })
      if (kind !== 'guarded') cashier.handoffs = [desk]
      const next = kind === 'guarded' ? guardAgent(cashier, me) : cashier
      desk.handoffs = [kind === 'handoff' ? handoff(next) : next]
      const result = await runnerFor(me).run(guardAgent(desk, me), 'go')
      expect([ran, result.finalOutput, result.lastAgent?.name]).toEqual([[], 'done', 'Cashier'])
      expect(told(inner, 'c1')).toContain('denied_by_policy')
    },
  )

  it('are behind the gate of an agent that is a tool; one that did not go through guardAgent is an error', async () => {
    const gate = denying()
    const me = gate.as({ user: 'alice' }, { conversation: 'talk' })
    const ran: unknown[] = []
    const script = () => new ScriptedModel([[functionCall('cashier', { input: 'go' }, 'outer')]])
    const cashier = () => agentOf(new ScriptedModel([ERASE]), { name: 'Cashier', tools: [eraser(ran)] })
    const asTool = { toolName: 'cashier', toolDescription: 'd' }
    const open = agentOf(script(), { name: 'Desk', tools: [cashier().asTool(asTool)] })
    expect(() => guardAgent(open, me)).toThrow(expect.objectContaining({ code: 'ERR_UNGATED' }))
    expect(() => guardAgent(open, me)).toThrow(/guardAgent\(agent, gate\)\.asTool/)

    const safe = agentOf(script(), { name: 'Desk', tools: [guardAgent(cashier(), me).asTool(asTool)] })
    await runnerFor(me).run(guardAgent(safe, me), 'go')
    expect(ran).toEqual([])
    expect(gate.calls.map(({ tool: name, code }) => [name, code])).toEqual([
      ['test/cashier', undefined],
      ['test/erase', 'denied_by_policy'],
    ])

    // Accepted by name, the call itself is gated all the same, and the coverage says what it is.
    const accepted = guardAgent(open, gate.as({ user: 'bob' }, { conversation: 'other' }), { ungated: ['cashier'] })
    await runnerFor(me).run(accepted, 'go')
    expect(ran).toEqual([{ path: '/x' }])
    expect(gate.coverage().find(({ tool: name }) => name === 'cashier')?.standing).toBe('unknown')
  })

  it('are behind the gate where a sandbox makes them for a run', async () => {
    const gate = testGate({ policy: scriptedPoint(() => ({ ...DENY, sentence: 'Not today.' })) })
    const me = gate.as({ user: 'alice' }, { conversation: 'talk' })
    const ran: unknown[] = []
    const agent = guardAgent(new SandboxAgent({ name: 'Box', capabilities: [shell()] }), me)
    const session = { execCommand: async (command: unknown) => ran.push(command), supportsPty: () => false }
    const tools = agent.capabilities.flatMap((capability) =>
      capability
        .clone()
        .bind(session as never)
        .tools(),
    )
    const model = new ScriptedModel([
      [functionCall('exec_command', { cmd: 'rm -rf /', login: true, tty: false, yield_time_ms: 1 })],
    ])
    await runnerFor(me).run(agentOf(model, { tools: tools as Tool[] }), 'go')
    expect(ran).toEqual([])
    expect(told(model, 'c1')).toContain('denied_by_policy')
  })

  it('belong to the agent that has them, where each acts under a name of its own', async () => {
    const gate = testGate({
      policy: scriptedPoint(({ context }) => (context.agent === 'cashier' ? PERMIT : { ...DENY, sentence: 'No.' })),
    })
    const as = (agent: string) => gate.as({ user: 'alice', agent: agent.toLowerCase() }, { conversation: 'talk' })
    const ran: unknown[] = []
    const cashier = agentOf(new ScriptedModel([ERASE]), { name: 'Cashier', tools: [eraser(ran)] })
    const model = new ScriptedModel([ERASE, [functionCall('transfer_to_Cashier', {}, 'h1')]])
    const desk = agentOf(model, { name: 'Desk', tools: [eraser(ran)] })
    desk.handoffs = [cashier]
    await runnerFor(gate).run(guardAgent(desk, gate, { as }), 'go')
    expect(ran).toHaveLength(1)
    expect(gate.calls.map(({ code }) => code)).toEqual(['denied_by_policy', undefined])
  })
})

describe('a guarded agent', () => {
  it('leaves the agent that it was made of as it was, and keeps what listens to it', async () => {
    const me = denying().as({ user: 'alice' }, { conversation: 'talk' })
    const ran: unknown[] = []
    const heard: string[] = []
    const agent = agentOf(new ScriptedModel([ERASE]), { tools: [eraser(ran)] })
    agent.on('agent_tool_end', (_context, { name }) => heard.push(name))
    await runnerFor(me).run(guardAgent(agent, me), 'go')
    expect([ran, heard]).toEqual([[], ['erase']])
    agent.model = new ScriptedModel([ERASE])
    await runnerFor(me).run(agent, 'go')
    expect(ran).toHaveLength(1)
  })

  it.each([
    ['what is no agent', { name: 'x' }, /takes an Agent/],
    ['an agent that is guarded already', undefined, /guarded already/],
    ['a server without a name of ours', new Agent({ name: 'A', mcpServers: [server('Files')] }), /servers: \{ "Files"/],
    [
      'a server called like a member of every object',
      new Agent({ name: 'A', mcpServers: [server('constructor')] }),
      /constructor/,
    ],
    ['a handoff that is none', new Agent({ name: 'A', handoffs: [{} as never] }), /handoff/],
  ])('is not made of %s', (_what, agent, words) => {
    const me = denying().as({ user: 'alice' })
    const given = agent ?? guardAgent(new Agent({ name: 'A' }), me)
    expect(() => guardAgent(given, me)).toThrow(expect.objectContaining({ code: 'ERR_TOOL' }))
    expect(() => guardAgent(given, me)).toThrow(words)
  })
})

function server(name: string) {
  return { name, callTool: () => undefined, listTools: () => [] } as never
}
