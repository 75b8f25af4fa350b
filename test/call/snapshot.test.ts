import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/bytes/digest.ts'
import { snapshot } from '../../src/call/snapshot.ts'
import { HoldpointError } from '../../src/errors.ts'
import type { Json } from '../../src/types.ts'

describe('snapshot', () => {
  it('keeps what the caller passed when the caller changes it afterwards (I3)', () => {
    const input = { path: '/srv/a', list: [1] }
    const taken = snapshot({ input })
    input.path = '/etc/shadow'
    input.list.push(2)
    expect(taken.parse()).toEqual({ path: '/srv/a', list: [1] })
    expect(taken.digest).toBe(sha256(taken.text))
    expect(new TextDecoder().decode(taken.bytes)).toBe(taken.text)
  })

  it('gives each reader a parse of its own, so that a policy cannot change what the tool gets (I3)', () => {
    const taken = snapshot({ input: { to: ['a'] } })
    const first = taken.parse() as { to: Json[] }
    first.to.push('b')
    expect(taken.parse()).toEqual({ to: ['a'] })
  })

  it('takes no arguments as an empty object, however the host says so', () => {
    for (const call of [{}, { input: undefined }, { input: {} }, { inputText: '{}' }, { inputText: '' }]) {
      expect(snapshot(call).text).toBe('{}')
    }
  })

  it('takes text and value of the same arguments as the same call', () => {
    expect(snapshot({ inputText: ' {"b":1.0, "a":"\\u0061"}' }).digest).toBe(
      snapshot({ input: { a: 'a', b: 1 } }).digest,
    )
  })

  it('refuses text that two readers could read differently, as rejected arguments that name the place', () => {
    for (const [inputText, at] of [
      ['{"amount":1,"amount":900}', '/amount'],
      ['{"id":9007199254740993}', '/id'],
      ['{"a":1} x', ''],
    ] as const) {
      expect(() => snapshot({ inputText })).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENTS', at }))
    }
  })

  it('refuses a call with both a value and a text, since nobody can say which one runs', () => {
    expect(() => snapshot({ input: { a: 1 }, inputText: '{"a":2}' })).toThrow(HoldpointError)
  })

  it('refuses a value without exact form, naming the place', () => {
    expect(() => snapshot({ input: { a: [new Date()] } })).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENTS', at: '/a/0' }),
    )
  })

  it.each([
    [{ inputText: '{"a":1,"a":2}' }, 'is given twice'],
    [{ input: { a: Number.NaN } }, 'is NaN: pass a finite number'],
    [{ input: 1, inputText: '1' }, 'come twice, as `input` and as `inputText`: pass what the host received'],
    [{ inputText: 7 as never }, 'come as an `inputText` that is not a string'],
  ])('says what is wrong in words that follow the name of the place: %j', (call, because) => {
    expect(() => snapshot(call)).toThrow(expect.objectContaining({ because }))
  })
})
