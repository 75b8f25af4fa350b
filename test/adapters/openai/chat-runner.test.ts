import { zodFunction } from 'openai/helpers/zod'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { guardRunner, guardTools, reportOf } from '../../../adapters/openai/index.ts'
import { type TestGateOptions, testGate } from '../../../src/testing.ts'
import { chatModel, type Said } from './model.ts'

function gateOf(options: TestGateOptions = {}) {
  const gate = testGate(options)
  return { gate, me: gate.as({ user: 'alice', agent: 'support' }, { conversation: 'talk' }) }
}

const ran: unknown[] = []
beforeEach(() => {
  ran.length = 0
})

const strict = (name: string) =>
  zodFunction({
    name,
    parameters: z.object({ path: z.string() }),
    function: (input) => {
      ran.push(input)
      return 'contents'
    },
  })

/** Without a parser, so that nothing but the SDK itself reads what a model wrote. */
const unparsed = (name: string) => ({
  type: 'function' as const,
  function: {
    name,
    parameters: { type: 'object', properties: { path: { type: 'string' } } },
    strict: true,
    function: (text: string) => void ran.push(text),
  },
})

const say = (name: string, text: string, id = 'call_1'): Said => ({ id, name, text })

describe.each([false, true])('a guarded runner of runTools (stream: %s)', (stream) => {
  const start = (tools: readonly object[], steps: readonly (readonly Said[])[], more: object = {}) => {
    const model = chatModel(steps)
    const { completions } = model.client.chat
    const messages = [{ role: 'user' as const, content: 'go' }]
    const params = { model: 'm', messages, tools: tools as never, ...more }
    return { model, runner: stream ? completions.runTools({ ...params, stream }) : completions.runTools(params) }
  }
  const play = async (me: ReturnType<typeof gateOf>['me'], ...how: Parameters<typeof start>) => {
    const { model, runner } = start(...how)
    const said = await guardRunner(runner, me).finalContent()
    const told = runner.messages.flatMap((message) => (message.role === 'tool' ? [String(message.content)] : []))
    return { said, told, requests: model.requests }
  }
  const warned = (gate: ReturnType<typeof gateOf>['gate']) =>
    gate.events.flatMap((event) => (event.event === 'programmer-warned' ? [event.code] : []))

  it.each([
    ['are no JSON', 'rm -rf /'],
    ['are cut short', '{"path":'],
    ['have text behind the value', '{"path":"/x"} {}'],
  ])('refuses arguments of a strict tool that %s and goes on, where it would end', async (_, text) => {
    const { gate, me } = gateOf()
    const alone = start(guardTools([strict('read')], me), [[say('read', text)]])
    await expect(alone.runner.finalContent()).rejects.toThrow(/JSON/)
    const { said, told } = await play(me, guardTools([strict('read')], me), [[say('read', text)]])
    expect(ran).toEqual([])
    expect(told[0]).toContain('arguments_rejected')
    expect(said).toBe('done')
    expect(reportOf(me, 'call_1')).toMatchObject({ tool: 'read', outcome: 'refused' })
    expect(warned(gate)).toEqual([])
  })

  it('asks the API for strict arguments all the same, and runs what it can read', async () => {
    const { me } = gateOf()
    const { requests, told } = await play(me, guardTools([strict('read')], me), [[say('read', '{"path":"/x"}')]])
    expect(ran).toEqual([{ path: '/x' }])
    expect(told).toEqual(['contents'])
    const asked = requests.map(({ tools }) => tools)
    expect(asked).toHaveLength(2)
    for (const tools of asked) expect(tools).toMatchObject([{ function: { name: 'read', strict: true } }])
  })

  it('leaves a strict tool that nobody guarded to the SDK, which ends the run', async () => {
    const { me } = gateOf()
    const tools = [...guardTools([strict('read')], me), unparsed('erase')]
    await expect(play(me, tools, [[say('erase', '{"path":')]])).rejects.toThrow(/JSON/)
    expect(ran).toEqual([])
  })

  it('warns of a function that ran beside the guarded ones', async () => {
    const { gate, me } = gateOf()
    const tools = [...guardTools([strict('read')], me), strict('erase')]
    const step = [say('read', '{"path":"/x"}'), say('erase', '{"path":"/y"}', 'b')]
    const { said } = await play(me, tools, [step])
    expect([ran.length, said]).toEqual([2, 'done'])
    expect(warned(gate)).toEqual(['ran_without_admission'])
    expect(gate.coverage().find(({ tool }) => tool === 'erase')).toMatchObject({ standing: 'unknown' })
  })

  it('warns of a function whose namesake is guarded elsewhere', async () => {
    const { gate, me } = gateOf()
    guardTools([strict('read')], me)
    await play(me, [strict('read')], [[say('read', '{"path":"/x"}')]])
    expect(warned(gate)).toEqual(['ran_without_admission'])
  })

  it('warns of nothing that did not run', async () => {
    const { gate, me } = gateOf()
    const tools = guardTools([strict('read')], me)
    await play(me, tools, [[say('read', '{"path":7}'), say('__proto__', '{}', 'b'), say('nothing', '{}', 'c')]])
    const choice = { tool_choice: { type: 'function', function: { name: 'read' } } }
    await play(me, [...tools, strict('erase')], [[say('erase', '{"path":"/y"}', 'd')]], choice)
    expect([ran, warned(gate)]).toEqual([[], []])
  })

  it('runs one of two calls that share an id, and tells the model of the other', async () => {
    const { me } = gateOf()
    const step = [say('read', '{"path":"/x"}'), say('read', '{"path":"/y"}')]
    const { said, told } = await play(me, guardTools([strict('read')], me), [step])
    expect(ran).toHaveLength(1)
    expect(told.filter((text) => text.includes('key_reuse'))).toHaveLength(1)
    expect(said).toBe('done')
  })
})

/** The tool's own parser knows the amount by another name, which no policy reads. */
const transforming = () => ({
  type: 'function' as const,
  function: {
    name: 'pay',
    description: '',
    parameters: { type: 'object', properties: {} },
    parse: (text: string) => ({ amount: (JSON.parse(text) as { readonly total: number }).total }),
    function: (input: unknown) => void ran.push(input),
  },
})

it('never decides on a text in the place of what the parser makes of it, though a model writes what stands in for one', async () => {
  const { me } = gateOf()
  const asked: Said[] = [say('pay', '{"holdpoint:unread":"x","total":999}')]
  const { client } = chatModel([asked])
  const tools = guardTools([transforming()], me) as never
  const runner = client.chat.completions.runTools({ model: 'm', messages: [{ role: 'user', content: 'go' }], tools })
  expect(await guardRunner(runner, me).finalContent()).toBe('done')
  expect(ran).toEqual([])
  expect(reportOf(me, 'call_1')).toMatchObject({ tool: 'pay', outcome: 'refused' })
})

it('a runner of runTools is guarded once, and one of another version not at all', () => {
  const { me } = gateOf()
  const { client } = chatModel([])
  const tools = guardTools([strict('read')], me) as never
  const runner = client.chat.completions.runTools({ model: 'm', messages: [], tools })
  expect(guardRunner(runner, me)).toBe(runner)
  expect(() => guardRunner(runner, me)).toThrow(expect.objectContaining({ code: 'ERR_TOOL' }))
  const other = { messages: [], on: () => undefined }
  expect(() => guardRunner(other, me)).toThrow(expect.objectContaining({ code: 'ERR_HOST' }))
})
