import { zodFunction } from 'openai/helpers/zod'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { guardTools, reportOf } from '../../../adapters/openai/index.ts'
import type { Gate } from '../../../src/index.ts'
import { type TestGateOptions, testGate } from '../../../src/testing.ts'
import { PERMIT, scriptedPoint } from '../../support/scripted-point.ts'
import { chatModel, type Said } from './model.ts'
import { DENY_ETC } from './policies.ts'

function gateOf(options: TestGateOptions = {}) {
  const gate = testGate(options)
  return { gate, me: gate.as({ user: 'alice', agent: 'support' }, { conversation: 'talk' }) }
}

const ran: unknown[] = []

/** A tool as apps write it without a schema library. */
function plain(name: string, more: object = {}) {
  return {
    type: 'function' as const,
    function: {
      name,
      description: name,
      parameters: { type: 'object', properties: { path: { type: 'string' } } },
      parse: JSON.parse,
      function: async (input: object) => {
        ran.push(input)
        return 'contents'
      },
      ...more,
    },
  }
}

function nameless() {
  return () => 'x'
}

async function play(tools: readonly object[], steps: readonly (readonly Said[])[], more: object = {}) {
  ran.length = 0
  const model = chatModel(steps)
  const messages = [{ role: 'user' as const, content: 'go' }]
  const runner = model.client.chat.completions.runTools({ model: 'm', messages, tools: tools as never, ...more })
  const said = await runner.finalContent()
  const told = runner.messages.flatMap((message) => (message.role === 'tool' ? [String(message.content)] : []))
  return { said, told, requests: model.requests }
}

const say = (name: string, text: string, id = 'call_1'): Said => ({ id, name, text })

describe('arguments text', () => {
  it.each([
    ['duplicate keys', '{"path":"/safe","path":"/etc"}'],
    ['duplicate keys, one escaped', '{"path":"/safe","\\u0070ath":"/etc"}'],
    ['text behind the value', '{"path":"/safe"} {"path":"/etc"}'],
    ['no JSON', 'rm -rf /'],
    ['a lone surrogate', '{"path":"\\ud800"}'],
    ['an integer that readers round', '{"path":"/x","n":9007199254740993}'],
    ['a name that reaches prototypes', '{"__proto__":{"path":"/etc"}}'],
  ])('with %s runs nothing and tells the model why; the run goes on', async (_, text) => {
    const { gate, me } = gateOf()
    const { said, told } = await play(guardTools([plain('read')], me), [[say('read', text)]])
    expect(ran).toEqual([])
    expect(told[0]).toContain('arguments_rejected')
    expect(said).toBe('done')
    expect(gate.calls).toMatchObject([{ tool: 'test/read', code: 'arguments_rejected' }])
  })

  it('with duplicate keys runs no typed tool either, whose parser would take the last', async () => {
    const { me } = gateOf()
    const read = zodFunction({
      name: 'read',
      parameters: z.object({ path: z.string() }),
      function: (input) => void ran.push(input),
    })
    const { told } = await play(guardTools([read], me), [[say('read', '{"path":"/safe","path":"/etc"}')]])
    expect(ran).toEqual([])
    expect(told[0]).toContain('arguments_rejected')
  })

  it('of a strict tool that is no JSON ends the run in the SDK, before anything ran', async () => {
    const { me } = gateOf()
    const read = zodFunction({
      name: 'read',
      parameters: z.object({ path: z.string() }),
      function: (input) => void ran.push(input),
    })
    await expect(play(guardTools([read], me), [[say('read', '{"path":')]])).rejects.toThrow(/JSON/)
    expect(ran).toEqual([])
  })

  it('that is empty is an empty object, as models write it that have nothing to say', async () => {
    const { me } = gateOf()
    await play(guardTools([plain('now')], me), [[say('now', '')]])
    expect(ran).toEqual([{}])
  })

  it('that the tool has no parser for reaches it as the canonical text that was decided', async () => {
    const { me } = gateOf()
    const read = plain('read', { parse: undefined, function: (text: string) => void ran.push(text) })
    await play(guardTools([read], me), [[say('read', '{ "path": "/x", "n": 1.0 }')]])
    expect(ran).toEqual(['{"n":1,"path":"/x"}'])
  })

  it('that misses the tool’s own schema is answered as without the gate: the model reads the parser’s words', async () => {
    const parse = (text: string) => z.object({ path: z.string() }).parse(JSON.parse(text))
    const { gate, me } = gateOf()
    const bare = await play([plain('read', { parse })], [[say('read', '{"path":7}')]])
    const gated = await play(guardTools([plain('read', { parse })], me), [[say('read', '{"path":7}')]])
    expect(gated.told).toEqual(bare.told)
    expect(ran).toEqual([])
    expect(gate.calls).toEqual([])
  })

  it('that the tool’s own parser turns into what JSON cannot hold is refused, and the programmer is told once', async () => {
    const { gate, me } = gateOf()
    const parse = (text: string) => z.object({ at: z.coerce.date() }).parse(JSON.parse(text))
    const steps = ['a', 'b'].map((id) => [say('book', '{"at":"2026-01-01"}', id)])
    const { told } = await play(guardTools([plain('book', { parse })], me), steps)
    expect(told[0]).toContain('arguments_rejected')
    expect(ran).toEqual([])
    const warned = gate.events.flatMap((event) => (event.event === 'programmer-warned' ? [event.message] : []))
    expect(warned).toEqual([expect.stringContaining('/at into a Date')])
  })

  it('is decided as the tool’s own schema leaves it: no spelling passes a policy and becomes another value behind it', async () => {
    const { me } = gateOf({ policy: DENY_ETC })
    const read = zodFunction({
      name: 'read',
      parameters: z.object({ path: z.string().toLowerCase() }),
      function: (input) => void ran.push(input),
    })
    const { told } = await play(guardTools([read], me), [[say('read', '{"path":"/ETC"}')]])
    expect(ran).toEqual([])
    expect(told[0]).toContain('denied_by_policy')
  })
})

describe('call ids', () => {
  it('are found though the SDK tells a callback none: alike calls have a receipt each', async () => {
    const { me } = gateOf()
    const step = [say('read', '{"path":"/x"}', 'a'), say('read', '{"path":"/x"}', 'b')]
    await play(guardTools([plain('read')], me), [step])
    expect(ran).toHaveLength(2)
    for (const id of ['a', 'b'])
      expect(reportOf(me, id)?.receipts.map(({ kind }) => kind)).toEqual(['decision', 'outcome'])
  })

  it.each([true, false])('that repeat in a message run once (parallel: %s)', async (parallel) => {
    const { me } = gateOf()
    const step = [say('read', '{"path":"/x"}'), say('read', '{"path":"/x"}')]
    const { told, said } = await play(guardTools([plain('read')], me), [step], { parallel_tool_calls: parallel })
    expect(ran).toHaveLength(1)
    expect(told).toHaveLength(2)
    expect(said).toBe('done')
  })

  it('that a provider gives again in a later turn are another call', async () => {
    const { me } = gateOf()
    const again = [say('read', '{"path":"/x"}')]
    await play(guardTools([plain('read')], me), [again, again])
    expect(ran).toHaveLength(2)
  })

  it('of a conversation that is sent again execute nothing twice', async () => {
    const { me } = gateOf()
    const steps = [[say('read', '{"path":"/x"}')]]
    await play(guardTools([plain('read')], me), steps)
    const { told } = await play(guardTools([plain('read')], me), steps)
    expect(ran).toEqual([])
    expect(told[0]).toContain('already_executed')
  })

  it('are not needed: a provider without them has its calls decided all the same', async () => {
    const { gate, me } = gateOf()
    await play(guardTools([plain('read')], me), [[say('read', '{"path":"/x"}', '')]])
    expect(ran).toHaveLength(1)
    expect(gate.calls).toHaveLength(1)
  })
})

describe('a run', () => {
  it('that streams is gated like one that does not', async () => {
    const { me } = gateOf({ policy: DENY_ETC })
    ran.length = 0
    const model = chatModel([[say('read', '{"path":"/etc"}')]])
    const messages = [{ role: 'user' as const, content: 'go' }]
    const tools = guardTools([plain('read')], me) as never
    const runner = model.client.chat.completions.runTools({ model: 'm', messages, tools, stream: true })
    const chunks: unknown[] = []
    for await (const chunk of runner) chunks.push(chunk)
    expect(ran).toEqual([])
    expect(chunks.length).toBeGreaterThan(2)
    expect(JSON.stringify(model.requests[1])).toContain('holdpoint refused this call')
  })

  it('goes on when the model calls a tool that is not there', async () => {
    const { gate, me } = gateOf()
    const { said, told } = await play(guardTools([plain('read')], me), [
      [say('__proto__', '{}'), say('erase', '{}', 'b')],
    ])
    expect(said).toBe('done')
    expect(told).toHaveLength(2)
    expect(gate.calls).toEqual([])
  })

  it('that its caller leaves runs nothing that had not begun', async () => {
    const leaving = new AbortController()
    const { me } = gateOf({
      policy: scriptedPoint(async () => {
        leaving.abort()
        return PERMIT
      }),
    })
    ran.length = 0
    const model = chatModel([[say('read', '{"path":"/x"}')]])
    const messages = [{ role: 'user' as const, content: 'go' }]
    const tools = guardTools([plain('read')], me) as never
    const runner = model.client.chat.completions.runTools({ model: 'm', messages, tools }, { signal: leaving.signal })
    await expect(runner.finalContent()).rejects.toThrow(/abort/i)
    expect(ran).toEqual([])
  })

  it('has a result with a note where policy kept a part of it back, and the very result where nothing is to be said', async () => {
    const { me } = gateOf()
    const { told } = await play(guardTools([plain('read', { function: () => ({ a: [1] }) })], me), [
      [say('read', '{}')],
    ])
    expect(told).toEqual(['{"a":[1]}'])
  })
})

describe('guardTools', () => {
  const { me } = gateOf()
  const coded = (tools: readonly object[], gate: Gate = me) => {
    try {
      guardTools(tools, gate)
    } catch (error) {
      return Reflect.get(Object(error), 'code')
    }
    return 'no error'
  }

  it.each([
    ['without a name', [plain('', { function: nameless(), name: undefined })]],
    ['with a name no tool may have', [plain('rm -rf')]],
    ['that differ in case alone', [plain('read'), plain('Read')]],
    ['without a function', [{ type: 'function', function: { name: 'read', parameters: {} } }]],
    ['that are typed and have no callback', [zodFunction({ name: 'read', parameters: z.object({}) })]],
    ['that are guarded already', guardTools([plain('read')], gateOf().me)],
  ])('refuses tools %s', (_, tools) => {
    expect(coded(tools)).toBe('ERR_TOOL')
  })

  it('refuses what the SDK runs as no function, by name, unless it is accepted', () => {
    const custom = { type: 'custom', custom: { name: 'shell' } }
    expect(coded([custom])).toBe('ERR_UNGATED')
    expect(guardTools([custom], me, { ungated: ['custom'] })).toEqual([custom])
  })

  it('takes the callback’s own name where the tool has none, as the SDK does', async () => {
    async function read() {
      ran.push('read')
    }
    await play(guardTools([plain('', { name: undefined, function: read })], me), [[say('read', '{}')]])
    expect(ran).toEqual(['read'])
  })

  it('shows what it stands in front of', () => {
    const { gate, me: view } = gateOf()
    guardTools([plain('read'), { type: 'web_search' }], view, { ungated: ['web_search'] })
    expect(gate.coverage()).toEqual([
      { host: 'openai', server: 'test', tool: 'read', standing: 'gated' },
      { host: 'openai', server: 'test', tool: 'web_search', standing: 'ungated', because: 'runs at OpenAI' },
    ])
  })
})
