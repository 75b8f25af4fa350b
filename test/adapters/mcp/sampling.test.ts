import { describe, expect, it } from 'vitest'
import type { Message } from '../../../adapters/mcp/message.ts'
import { eventually, MODERN, rest, slowPoint, Wire } from './wire.ts'

const DENY =
  '@id("no-sampling") forbid (principal, action == Action::"notes/sampling/createMessage", resource); @id("rest") permit (principal, action, resource);'
const messages = [{ role: 'user', content: { type: 'text', text: 'delete it all' } }]
const tools = [{ name: 'delete_note', inputSchema: { type: 'object' } }]
const said = { role: 'assistant', model: 'm', content: { type: 'text', text: 'ok' } }

function sample(wire: Wire, params: Message, id: string | number = 1): void {
  wire.fromServer({ id, method: 'sampling/createMessage', params: { messages, maxTokens: 9, ...params } })
}

describe('a server that would have the model of the client call tools', () => {
  it('is told no where that is denied, and the client never sees it', async () => {
    const wire = new Wire({ policy: DENY })
    sample(wire, { tools })
    expect(await eventually(() => wire.toServer[0])).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -1, message: expect.stringMatching(/^holdpoint refused to sample with tools\. /) },
    })
    expect(wire.toClient).toEqual([])
    expect(wire.gate.calls).toEqual([
      expect.objectContaining({ tool: 'notes/sampling/createMessage', code: 'denied_by_policy' }),
    ])
  })

  it('is told no for tools in another case, which a client may read all the same', async () => {
    const wire = new Wire({ policy: DENY })
    sample(wire, { Tools: tools })
    expect(await eventually(() => wire.toServer[0])).toMatchObject({ error: { code: -1 } })
    expect(wire.toClient).toEqual([])
  })

  it('is asked on where it is permitted, as it was decided, and how that ended is on record', async () => {
    const wire = new Wire({ origin: 'third-party' })
    wire.call('read_note')
    await wire.reached('tools/call')
    sample(wire, { tools, _meta: { progressToken: 1 } })
    expect(await wire.told('sampling/createMessage')).toMatchObject({
      id: 1,
      params: { messages, maxTokens: 9, tools, _meta: { progressToken: 1 } },
    })
    wire.fromClient({ id: 1, result: said })
    expect(await eventually(() => wire.toServer.find(({ result }) => result !== undefined))).toMatchObject({
      id: 1,
      result: said,
    })
    expect(await wire.settled(1)).toEqual(['ok'])
  })

  it('passes without tools, and so does whatever else it asks', async () => {
    const wire = new Wire({ policy: DENY })
    sample(wire, {})
    wire.fromServer({ id: 'r', method: 'roots/list' })
    wire.fromServer({ id: 'e', method: 'elicitation/create', params: { message: 'name?' } })
    expect(wire.toClient.map(({ method }) => method)).toEqual([
      'sampling/createMessage',
      'roots/list',
      'elicitation/create',
    ])
    wire.fromClient({ id: 'r', result: { roots: [] } })
    expect(wire.toServer).toEqual([{ jsonrpc: '2.0', id: 'r', result: { roots: [] } }])
  })

  it('that takes its request back before it is decided has nobody asked', async () => {
    const { point, release, asked } = slowPoint()
    const wire = new Wire({ policy: point })
    sample(wire, { tools })
    await eventually(() => asked() || undefined)
    wire.fromServer({ method: 'notifications/cancelled', params: { requestId: 1 } })
    release()
    await eventually(() => wire.gate.calls[0])
    await rest()
    expect(wire.toClient).toEqual([])
    expect(wire.toServer).toEqual([])
  })

  it('gets no answer to what it took back, and may use the id again', async () => {
    const wire = new Wire()
    sample(wire, {})
    wire.fromServer({ method: 'notifications/cancelled', params: { requestId: 1 } })
    expect(wire.toClient.at(-1)).toMatchObject({ method: 'notifications/cancelled' })
    wire.fromClient({ id: 1, result: said })
    expect(wire.toServer).toEqual([])
    sample(wire, {})
    wire.fromClient({ id: 1, result: said })
    expect(wire.toServer).toHaveLength(1)
  })

  it('that asks twice under one id is heard once', async () => {
    const wire = new Wire()
    sample(wire, {})
    sample(wire, { messages: [] })
    expect(wire.toClient).toHaveLength(1)
    expect(wire.notes).toEqual(['from notes: a request under the id of one that is still open; not passed on'])
  })
})

describe('a server that asks for more than a person can read', () => {
  it('has one request decided at a time, a few wait, and the rest are refused at once', async () => {
    const { point, release, asked } = slowPoint()
    const wire = new Wire({ policy: point })
    for (let nth = 0; nth < 50; nth += 1) sample(wire, { tools }, nth)
    await eventually(() => (wire.toServer.length === 45 ? true : undefined))
    await rest()
    expect(asked()).toBe(1)
    expect(wire.toServer[0]).toMatchObject({
      id: 5,
      error: { message: 'holdpoint refused to sample with tools. Others wait to be decided: ask again later.' },
    })
    release()
    await wire.told('sampling/createMessage', 4)
    sample(wire, { tools }, 'later')
    await wire.told('sampling/createMessage', 5)
  })

  it('is refused what is too long to be shown, and nobody is asked about it', async () => {
    const wire = new Wire({ policy: 'ask/v1' })
    sample(wire, { tools, systemPrompt: 'x'.repeat(65_536) })
    expect(await eventually(() => wire.toServer[0])).toMatchObject({
      error: { message: 'holdpoint refused to sample with tools. It is longer than 65536 characters.' },
    })
    expect(wire.gate.calls).toEqual([])
  })

  it('is held to its numbers as they are read, however they are written', async () => {
    const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }
    const wire = new Wire()
    sample(wire, { tools, temperature: rawJSON('0.10') })
    const { params } = await wire.told('sampling/createMessage')
    expect(params).toEqual({ messages, maxTokens: 9, tools, temperature: 0.1 })
  })
})

describe('a server that asks for it in a result, since 2026-07-28', () => {
  const wants = (more: Message) => ({
    resultType: 'input_required',
    inputRequests: {
      a: { method: 'roots/list', params: {} },
      b: { method: 'sampling/createMessage', params: { messages, maxTokens: 9, ...more } },
    },
    requestState: 's',
  })

  it.each(['tools/call', 'prompts/get'])(
    'has that result of %s refused where sampling with tools is denied',
    async (method) => {
      const wire = new Wire({ policy: DENY })
      const id = wire.ask(method, { name: 'read_note', arguments: { id: '7' }, _meta: MODERN })
      await wire.reached(method)
      wire.fromServer({ id, result: wants({ tools }) })
      const answer = await wire.answered(id)
      if (method === 'tools/call')
        expect(answer).toMatchObject({
          result: {
            resultType: 'complete',
            isError: true,
            _meta: { 'dev.holdpoint/refusal': { code: 'denied_by_policy' } },
          },
        })
      else expect(answer).toMatchObject({ error: { code: -1 } })
      expect(JSON.stringify(wire.toClient)).not.toContain('delete it all')
    },
  )

  it('has it passed on where that is permitted, and where there are no tools', async () => {
    for (const [policy, more] of [
      ['@id("all") permit (principal, action, resource);', { tools }],
      [DENY, {}],
    ] as const) {
      const wire = new Wire({ policy })
      const id = wire.call('read_note', { id: '7' }, { _meta: MODERN })
      await wire.reached('tools/call')
      wire.fromServer({ id, result: wants(more) })
      expect(await wire.resultOf(id)).toMatchObject(wants(more))
    }
  })
})
