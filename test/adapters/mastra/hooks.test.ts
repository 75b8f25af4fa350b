/** Hooks on a release that calls none, and calls that a host does not tell apart. */
import { createTool } from '@mastra/core/tools'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { guardTools, holdpointHooks } from '../../../adapters/mastra/index.ts'
import { testGate } from '../../../src/testing.ts'
import { agentOf, scriptedModel } from './host.ts'

afterEach(() => {
  vi.doUnmock('@mastra/core/package.json')
  vi.resetModules()
})

const tools = { look: { id: 'look', description: 'd', execute: async () => undefined } }
const gateOf = () => {
  const gate = testGate()
  return { gate, me: gate.as({ user: 'alice' }, { conversation: 'talk' }) }
}

describe('hooks', () => {
  it('are not handed out where the release that is there calls none: its tools would run', async () => {
    vi.resetModules()
    vi.doMock('@mastra/core/package.json', () => ({ default: { version: '1.34.0' } }))
    const old = await import('../../../adapters/mastra/hooks.ts')
    expect(() => old.holdpointHooks(gateOf().me, { tools })).toThrow(
      expect.objectContaining({
        code: 'ERR_HOST',
        at: '@mastra/core',
        message: expect.stringContaining('is 1.34.0 here'),
      }),
    )
  })

  it('put each call on record with its own end, though their host gives them no ids', async () => {
    const { gate, me } = gateOf()
    const hooks = holdpointHooks(me, { tools })
    const calls = [1, 2, 3].map((nth) => ({ toolName: 'look', input: { nth }, context: {} }))
    for (const call of calls) expect(await hooks.beforeToolCall(call)).toBeUndefined()
    const [one, two, three] = calls
    if (one === undefined || two === undefined || three === undefined) return
    await hooks.afterToolCall({ ...two, error: new Error('disk is full') })
    await hooks.afterToolCall({ ...three, output: 3 })
    await hooks.afterToolCall({ ...one, output: 1 })
    const settled = gate.events.filter(({ event }) => event === 'call-settled')
    expect(settled).toMatchObject([{ status: 'tool_error' }, { status: 'ok' }, { status: 'ok' }])
  })

  it('guess nothing where several calls could be meant', async () => {
    const { gate, me } = gateOf()
    const hooks = holdpointHooks(me, { tools })
    for (const nth of [1, 2]) await hooks.beforeToolCall({ toolName: 'look', input: { nth }, context: {} })
    await hooks.afterToolCall({ toolName: 'look', input: { nth: 1 }, context: {}, output: 1 })
    expect(gate.events.filter(({ event }) => event === 'call-settled')).toEqual([])
  })

  it('say that a toolset of a single run has run past them, under the name of a guarded tool', async () => {
    const { gate, me } = gateOf()
    const ran: string[] = []
    const lookOf = (whose: string) =>
      createTool({
        id: 'look',
        description: 'd',
        inputSchema: z.object({}),
        execute: async () => ({ nth: ran.push(whose) }),
      } as never)
    const guarded = guardTools({ look: lookOf('ours') }, me)
    const { model } = scriptedModel([[{ tool: 'look', input: {}, id: 'c1' }]])
    const { agent } = agentOf(model, guarded, { hooks: holdpointHooks(me, { tools: guarded }) })
    await agent.generate('go', { toolsets: { theirs: { look: lookOf('theirs') } } as never, maxSteps: 3 })
    expect(ran).toEqual(['theirs'])
    expect(gate.events).toContainEqual(expect.objectContaining({ code: 'ran_without_admission' }))
    expect(gate.coverage()).toContainEqual(expect.objectContaining({ tool: 'look', standing: 'unknown' }))
  })
})
