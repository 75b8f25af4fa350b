import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frameText, readClientFrame, readServerFrame } from '../../../adapters/mcp-proxy/frames.ts'

function read(text: string): object {
  const frame = readClientFrame(text)
  if (frame.kind !== 'read') throw new Error(frame.because)
  return frame.message as object
}

describe('what a client says', () => {
  it.each([
    ['a member twice', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}'],
    ['a member twice, once escaped', '{"method":"ping","metho\\u0064":"tools/call"}'],
    ['something after the frame', '{"method":"ping"} {"method":"tools/call"}'],
    ['a byte order mark', '\ufeff{"method":"ping"}'],
    ['a lone surrogate', '{"method":"\\ud800"}'],
    ['a name that reaches prototypes', '{"__proto__":{"method":"tools/call"}}'],
    ['a number beyond a double', '{"id":1e999}'],
    ['no JSON', '{method:"ping"}'],
    ['a comment', '{"method":"ping"/* */}'],
    ['nothing', ''],
  ])('is nothing where it holds %s', (_what, text) => {
    expect(readClientFrame(text)).toMatchObject({ kind: 'unreadable' })
  })

  it('is nothing where its bytes are no UTF-8', () => {
    expect(readClientFrame(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ kind: 'unreadable' })
  })

  it('is nothing beyond the longest frame, and where it is deeper than anybody nests', () => {
    expect(readClientFrame('{"a":"bcdefgh"}', 10)).toMatchObject({ kind: 'unreadable' })
    expect(readClientFrame(`${'['.repeat(200)}${']'.repeat(200)}`)).toMatchObject({ kind: 'unreadable' })
  })

  it('goes on byte for byte where nobody touched it', () => {
    const text = ' {"jsonrpc":"2.0", "id":9007199254740993,"method":"x/y","params":{"n":1.50,"s":"\\u00e9"}}'
    expect(frameText(read(text))).toBe(text)
    expect(frameText(read(text))).toBe(text)
  })

  it('is one line, since a line is a frame where it goes on over stdio', () => {
    expect(frameText(read('{"method":\r\n"ping"}\n'))).toBe('{"method":  "ping"} ')
  })

  it('keeps integers that a double cannot hold, beside what was changed', () => {
    const message = read('{"id":1,"params":{"_meta":{"n":9007199254740993}}}') as { params: object }
    expect(frameText({ ...message, params: { ...message.params, more: true } })).toBe(
      '{"id":1,"params":{"_meta":{"n":9007199254740993},"more":true}}',
    )
  })
})

describe('what a server says', () => {
  it('is no frame where it is no JSON', () => {
    expect(readServerFrame('listening on port 3000')).toBeUndefined()
  })

  it('reaches the client as it was read: of two descriptions the one that the gate saw', () => {
    const text = '{"id":1,"result":{"description":"harmless","description":"hostile"}}'
    expect(frameText(readServerFrame(text) as object)).toBe('{"id":1,"result":{"description":"hostile"}}')
  })

  it('keeps every number as it was written', () => {
    const text = '{"id":1,"result":{"a":12345678901234567890,"b":[1e400,-0.1000000000000000055511151231257827,1E3]}}'
    expect(frameText(readServerFrame(text) as object)).toBe(text)
  })

  it('comes through unchanged, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value: unknown = JSON.parse(text)
        fc.pre(typeof value === 'object' && value !== null)
        expect(JSON.parse(frameText(readServerFrame(text) as object))).toEqual(value)
      }),
    )
  })
})
