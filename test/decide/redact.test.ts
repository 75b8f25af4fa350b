/** What policy keeps back of a result is seen by nobody, whatever the result is. */
import { describe, expect, it } from 'vitest'
import type { RedactOutput } from '../../src/bytes/obligation.ts'
import { reveal, WITHHELD } from '../../src/decide/redact.ts'

const hide = (...paths: string[]): readonly RedactOutput[] => [{ kind: 'redact_output', paths, with: '[redacted]' }]

describe('redaction of a result', () => {
  it('replaces every place that a path names, and nothing else', () => {
    const rows = [{ name: 'a', email: 'a@x' }, { name: 'b' }]
    expect(reveal({ rows, total: 2 }, hide('/rows/*/email'))).toEqual({
      rows: [{ name: 'a', email: '[redacted]' }, { name: 'b' }],
      total: 2,
    })
    expect(reveal({ a: 1, b: [2] }, hide('/*'))).toEqual({ a: '[redacted]', b: '[redacted]' })
    expect(rows[0]?.email).toBe('a@x')
  })

  it('gives the very value where nothing is kept back', () => {
    const result = new Map([['a', 1]])
    expect(reveal(result, [])).toBe(result)
  })

  const misfits: readonly [string, unknown][] = [
    ['is a text that may hold it', JSON.stringify({ rows: [{ email: 'a@x' }] })],
    ['has it elsewhere', { items: [{ email: 'a@x' }] }],
    ['has a text in its place', { rows: ['a@x'] }],
    ['has another form there', { rows: { email: 'a@x' } }],
    [
      'is a cycle',
      (() => {
        const self: { self?: unknown; rows?: unknown } = { rows: [{ email: 'a@x' }] }
        self.self = self
        return self
      })(),
    ],
    ['is no JSON', () => 'a@x'],
    ['holds what JSON cannot', { rows: [{ email: 'a@x', big: 1n }] }],
    [
      'throws at whoever looks',
      {
        get rows(): never {
          throw new Error('a@x')
        },
      },
    ],
    ['is a class of its own', new Map([['rows', 'a@x']])],
  ]
  it.each(misfits)('withholds all of a result that %s', (_, result) => {
    expect(reveal(result, hide('/rows/*/email'))).toBe(WITHHELD)
  })

  it('hides what a toJSON says, not what it hides', () => {
    const result = { toJSON: () => ({ rows: [{ email: 'a@x' }] }) }
    expect(reveal(result, hide('/rows/*/email'))).toEqual({ rows: [{ email: '[redacted]' }] })
  })

  it('leaves prototypes alone where a member has the name of one', () => {
    const shown = reveal(JSON.parse('{"__proto__":{"a":"x"},"b":"y"}'), hide('/*')) as object
    expect(Object.getPrototypeOf(shown)).toBe(Object.prototype)
    expect(JSON.stringify(shown)).toBe('{"__proto__":"[redacted]","b":"[redacted]"}')
  })
})
