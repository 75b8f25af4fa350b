import { describe, expect, it } from 'vitest'
import { rest, Wire } from './wire.ts'

const params = { name: 'write_note', arguments: { id: '7' } }
const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }

/** Each would be a call to some reader, and none to another. */
const SMUGGLED: readonly (readonly [string, unknown])[] = [
  ['in a list', [call, call]],
  ['without an id', { ...call, id: undefined }],
  ['that has no member for its id', { jsonrpc: '2.0', method: 'tools/call', params }],
  ['with null for an id', { ...call, id: null }],
  ['with half a number for an id', { ...call, id: 1.5 }],
  ['with an object for an id', { ...call, id: { toString: () => 1 } }],
  ['of no version', { ...call, jsonrpc: undefined }],
  ['of another version', { ...call, jsonrpc: '1.0' }],
  ['whose method stands twice, in two cases', { ...call, method: 'ping', Method: 'tools/call' }],
  ['whose method is in another case', { ...call, method: 'Tools/Call' }],
  ['whose method has a blank', { ...call, method: 'tools/call ' }],
  ['whose method ends before its end', { ...call, method: 'tools/call\u0000' }],
  [
    'whose method stands twice, once with what nobody sees',
    { ...call, method: 'ping', ['method\u0000']: 'tools/call' },
  ],
  [
    'whose name stands twice, once with what nobody sees',
    { ...call, params: { ...params, ['name\u200b']: 'read_note' } },
  ],
  ['whose method is a list', { ...call, method: ['tools/call'] }],
  ['whose params stand twice, in two cases', { ...call, Params: { name: 'read_note' } }],
  ['whose params stand twice, with a long s', { ...call, ['param\u017f']: { name: 'read_note' } }],
  ['whose params are a list', { ...call, params: ['write_note'] }],
  ['whose params are null', { ...call, params: null }],
  ['of two names, in two cases', { ...call, params: { ...params, Name: 'read_note' } }],
  ['of two arguments, in two cases', { ...call, params: { ...params, ARGUMENTS: {} } }],
  ['whose state stands twice, in two cases', { ...call, params: { ...params, requeststate: 'x' } }],
  ['without a name', { ...call, params: { arguments: {} } }],
  ['whose arguments are a text', { ...call, params: { ...params, arguments: '{}' } }],
  ['that is an answer as well', { ...call, result: {} }],
  ['that is no object', 'tools/call'],
]

describe('a call', () => {
  it.each(SMUGGLED)('%s reaches no server, and whoever sent it is told', async (_name, frame) => {
    const wire = new Wire()
    void wire.link.fromClient(frame, undefined)
    await rest()
    expect(wire.toServer).toEqual([])
    expect(wire.toClient).toEqual([
      expect.objectContaining({ error: { code: expect.any(Number), message: expect.stringMatching(/^holdpoint: /) } }),
    ])
    expect(wire.gate.calls).toEqual([])
  })

  it.each(['toString', '__proto__', 'constructor', ''])(
    'of a tool named %j is one of a tool that nobody knows',
    async (name) => {
      const wire = new Wire()
      const id = wire.call(name)
      expect(await wire.resultOf(id)).toMatchObject({ isError: true })
      expect(wire.calls).toEqual([])
    },
  )
})

describe('what a client asks besides', () => {
  it.each(['tools/List', ' tools/list', 'ping\u0007', 'pi\u0301ng'])(
    'by the method %j, which not everybody reads alike, goes to no server',
    (method) => {
      const wire = new Wire()
      wire.ask(method)
      expect(wire.toServer).toEqual([])
      expect(wire.toClient).toHaveLength(1)
    },
  )
})

describe('what a server says', () => {
  it.each([
    ['a list of messages', [{ jsonrpc: '2.0', method: 'notifications/message' }]],
    ['an answer to nothing', { jsonrpc: '2.0', id: null, result: {} }],
    ['text', 'Server started'],
    ['a request that samples in another spelling', { jsonrpc: '2.0', id: 1, method: 'Sampling/createMessage' }],
    [
      'a request that samples to whoever ends at a control character',
      { jsonrpc: '2.0', id: 1, method: 'sampling/createMessage\0' },
    ],
    ['a request under half a number', { jsonrpc: '2.0', id: 0.5, method: 'ping' }],
  ])('is dropped where it is %s', (_name, frame) => {
    const wire = new Wire()
    void wire.link.fromServer(frame, undefined)
    expect(wire.toClient).toEqual([])
    expect(wire.notes).toHaveLength(1)
  })

  it('of a frame whose id it could not read is passed on', () => {
    const wire = new Wire()
    const complaint = { jsonrpc: '2.0', id: null, error: { code: -32_700, message: 'Parse error' } }
    void wire.link.fromServer(complaint, undefined)
    expect(wire.toClient).toEqual([complaint])
  })
})
