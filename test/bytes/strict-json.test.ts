import { describe, expect, it } from 'vitest'
import { parseStrict } from '../../src/bytes/strict-json.ts'
import { HoldpointError } from '../../src/errors.ts'

function refusalOf(text: string | Uint8Array, limits?: Parameters<typeof parseStrict>[1]): HoldpointError {
  try {
    parseStrict(text, limits)
  } catch (error) {
    if (error instanceof HoldpointError) return error
    throw error
  }
  throw new Error('it was accepted')
}

describe('parseStrict refuses text that two readers could read differently', () => {
  const table: readonly (readonly [string, string | Uint8Array, string, RegExp])[] = [
    ['a member given twice', '{"decision":"deny","decision":"permit"}', '/decision', /twice/],
    ['a member given twice, once escaped', '{"decision":"deny","\\u0064ecision":"permit"}', '/decision', /twice/],
    ['a member given twice, deep down', '{"a":[{"b":1,"b":1}]}', '/a/0/b', /twice/],
    ['a raw lone surrogate', '{"a":"\ud800"}', '/a', /lone surrogate/],
    ['an escaped lone surrogate', '{"a":"\\udc00x"}', '/a', /lone surrogate/],
    ['a surrogate pair the wrong way round', '["\\udc00\\ud800"]', '/0', /lone surrogate/],
    ['invalid UTF-8', new Uint8Array([0x22, 0xc3, 0x28, 0x22]), '', /UTF-8/],
    ['an overlong encoding', new Uint8Array([0x22, 0xc0, 0xaf, 0x22]), '', /UTF-8/],
    ['a byte order mark', '\ufeff{}', '', /byte order mark/],
    ['a byte order mark in bytes', new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]), '', /byte order mark/],
    ['an integer that a double rounds', '{"id":9007199254740993}', '/id', /2\^53/],
    ['a fraction that rounds to such an integer', '[9007199254740993.0]', '/0', /2\^53/],
    ['a number beyond a double', '[1e400]', '/0', /beyond a double/],
    ['__proto__', '{"__proto__":{}}', '/__proto__', /prototypes/],
    ['__proto__, escaped', '{"\\u005f_proto__":{}}', '/__proto__', /prototypes/],
    ['constructor', '{"a":{"constructor":1}}', '/a/constructor', /prototypes/],
    ['anything after the value', '{} {}', '', /goes on/],
    ['nothing', '', '', /JSON value/],
    ['a trailing comma', '[1,]', '/1', /JSON value/],
    ['a trailing comma in an object', '{"a":1,}', '', /member name/],
    ['single quotes', "{'a':1}", '', /member name/],
    ['a leading zero', '[01]', '', /comma/],
    ['a bare point', '[1.]', '', /comma/],
    ['a plus sign', '[+1]', '/0', /JSON value/],
    ['NaN', '[NaN]', '/0', /JSON value/],
    ['a raw line break in a string', '["a\nb"]', '/0', /end of a string/],
    ['an unknown escape', '["\\x41"]', '/0', /escape/],
    ['a short escape', '["\\u12"]', '/0', /hexadecimal/],
    ['an unfinished string', '{"a":"b', '/a', /end of a string/],
    ['an unfinished object', '{"a":1', '', /comma/],
    ['a non-breaking space', '\u00a0{}', '', /JSON value/],
    ['a comment', '{/**/}', '', /member name/],
  ]
  for (const [what, text, at, message] of table) {
    it(what, () => {
      const refusal = refusalOf(text)
      expect(refusal.code).toBe('ERR_FORMAT')
      expect(refusal.message).toMatch(message)
      expect(refusal.at).toBe(at)
    })
  }
})

describe('parseStrict stops at its limits and not before', () => {
  it('at depth 64, and never overflows the stack', () => {
    expect(JSON.stringify(parseStrict('['.repeat(64) + ']'.repeat(64)))).toBe('['.repeat(64) + ']'.repeat(64))
    expect(refusalOf('['.repeat(65) + ']'.repeat(65)).message).toMatch(/deeper than 64/)
    expect(refusalOf(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`).message).toMatch(/deeper than 64/)
    expect(refusalOf('['.repeat(200_000)).message).toMatch(/deeper than 64/)
  })

  it('at 10 000 values', () => {
    expect(parseStrict(`[${'0,'.repeat(9_998)}0]`)).toHaveLength(9_999)
    expect(refusalOf(`[${'0,'.repeat(9_999)}0]`).message).toMatch(/10000 values/)
  })

  it('at 1 MiB, in bytes', () => {
    expect(parseStrict(`"${'a'.repeat(1_048_574)}"`)).toHaveLength(1_048_574)
    expect(refusalOf(`"${'a'.repeat(1_048_575)}"`).message).toMatch(/1048577 bytes/)
    expect(refusalOf(`"${'é'.repeat(524_288)}"`).message).toMatch(/1048578 bytes/)
  })
})
