/** Which tools the gate is told of, and what it says of one that ran past it. Real packages, both majors. */
import { registerTelemetry } from 'ai'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createTripwire, guardTools } from '../../../adapters/ai-sdk/index.ts'
import { type TestGate, testGate } from '../../../src/testing.ts'
import { type Said, said, scriptedModel, sdkOf } from './sdk.ts'

const path = z.object({ path: z.string() })
const warnings = (gate: TestGate) =>
  gate.events.flatMap((event) => (event.event === 'programmer-warned' ? [[event.code, event.message]] : []))

/** A registration is for the life of a process and for both majors, which share it: this one hands on to the gate of the moment. */
let gate = testGate()
const current = { reportRun: (...run: Parameters<TestGate['reportRun']>) => gate.reportRun(...run) } as TestGate
registerTelemetry(createTripwire(current))

beforeEach(() => {
  gate = testGate()
})

for (const major of [7, 6] as const) {
  const sdk = sdkOf(major)
  const noting = (ran: unknown[]) =>
    sdk.tool({ description: 'notes', inputSchema: path, execute: async (input: unknown) => ran.push(input) })
  const play = async (steps: readonly (readonly Said[])[], settings: object) =>
    await sdk.generateText({
      model: scriptedModel(major, steps).model,
      prompt: 'go',
      stopWhen: sdk.stepCountIs(5),
      ...settings,
    })
  const withoutInputs =
    major === 7 ? { telemetry: { recordInputs: false } } : { experimental_telemetry: { recordInputs: false } }
  const me = (conversation = 'talk') => gate.as({ user: 'alice' }, { conversation })

  describe(`what the gate sees of ai ${major}`, () => {
    it('is every tool of the set: which it stands in front of, and where the others run', () => {
      const tools = {
        read: noting([]),
        ask: sdk.tool({ inputSchema: path, outputSchema: path }),
        search: { type: 'provider', id: 'acme.search', args: {}, inputSchema: path },
      }
      guardTools(tools, me(), { ungated: ['ask', 'search'], server: 'app' })
      expect(gate.coverage()).toEqual([
        { host: 'ai-sdk', server: 'app', tool: 'ask', standing: 'ungated', because: 'runs in the client' },
        { host: 'ai-sdk', server: 'app', tool: 'read', standing: 'gated' },
        { host: 'ai-sdk', server: 'app', tool: 'search', standing: 'ungated', because: 'runs on the provider' },
      ])
    })

    it('is also the tool that runs in a set that nobody guarded, wherever in the process that is', async () => {
      const ran: unknown[] = []
      await play([[said('erase', { path: '/x' })]], { tools: { erase: noting(ran) } })
      expect(ran).toHaveLength(1)
      expect(gate.coverage()).toEqual([
        {
          host: 'ai-sdk',
          server: 'test',
          tool: 'erase',
          standing: 'unknown',
          because: 'ran without an admission',
        },
      ])
      expect(warnings(gate)).toEqual([['ran_without_admission', expect.stringContaining('test/erase')]])
    })

    it('raises no alarm about what it was asked: permitted, refused, failed, or given up', async () => {
      gate = testGate({ policy: ({ resource }) => (resource.id === 'test/erase' ? 'deny' : 'permit') })
      const failing = sdk.tool({
        description: 'fails',
        inputSchema: path,
        execute: async () => {
          throw new Error('disk is full')
        },
      })
      const own = { read: noting([]), erase: noting([]), write: failing }
      const steps = [Object.keys(own).map((tool, nth) => said(tool, { path: '/x' }, `c${nth}`))]
      const leaving = new AbortController()
      await play(steps, { tools: guardTools(own, me()).tools })
      await play(steps, { tools: guardTools(own, me('private')).tools, ...withoutInputs })
      gate.outage()
      const given = { tools: guardTools(own, me('left')).tools, abortSignal: leaving.signal }
      const left = play(steps, given).catch(() => undefined)
      setTimeout(() => leaving.abort(new Error('the person left')), 20)
      await left
      expect(gate.calls.filter(({ outcome }) => outcome === 'permitted')).toHaveLength(4)
      expect(warnings(gate)).toEqual([])
      expect(gate.coverage().map(({ standing }) => standing)).toEqual(['gated', 'gated', 'gated'])
    })

    it('is not taken in by an id that a guarded tool of the same name had', async () => {
      const ran: unknown[] = []
      const steps = [[said('erase', { path: '/x' })]]
      await play(steps, { tools: guardTools({ erase: noting([]) }, me()).tools })
      await play(steps, { tools: { erase: noting(ran) } })
      expect(ran).toHaveLength(1)
      expect(warnings(gate)).toHaveLength(1)
    })
  })
}

describe('a tool beside the guarded ones', () => {
  it('does not run under the hook, and stands as unknown: another way of running it would ask nobody', async () => {
    const sdk = sdkOf(7)
    const ran: unknown[] = []
    const stray = sdk.tool({ description: 'e', inputSchema: path, execute: async (input: unknown) => ran.push(input) })
    const guarded = guardTools({}, gate.as({ user: 'alice' }, { conversation: 'talk' }))
    await sdk.generateText({
      model: scriptedModel(7, [[said('erase', { path: '/x' })]]).model,
      prompt: 'go',
      stopWhen: sdk.stepCountIs(5),
      ...guarded,
      tools: { ...guarded.tools, erase: stray },
    })
    expect(ran).toEqual([])
    expect(gate.coverage()).toEqual([
      { host: 'ai-sdk', server: 'test', tool: 'erase', standing: 'unknown', because: 'was not passed to guardTools' },
    ])
  })
})
