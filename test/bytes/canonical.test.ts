import { describe, expect, it } from 'vitest'
import { canonicalText, utf8Length } from '../../src/bytes/canonical.ts'
import { HoldpointError } from '../../src/errors.ts'
import { vector } from './vectors.ts'

function refusalOf(value: unknown, limits?: Parameters<typeof canonicalText>[1]): HoldpointError {
  try {
    canonicalText(value, limits)
  } catch (error) {
    if (error instanceof HoldpointError) return error
    throw error
  }
  throw new Error('it was accepted')
}

/** Vectors hold integers that a double cannot tell from their neighbours; we refuse those by rule (DESIGN §6). */
const UNSAFE = new Set(['number_large_exp_boundary_fixed', 'number_large_exp_boundary_exp', 'number_2_to_53'])

interface CanonicalVector {
  readonly name: string
  readonly input: unknown
  readonly canonical: string
}

describe('canonicalText agrees with other implementations of RFC 8785', () => {
  for (const name of ['arrays', 'french', 'structures', 'unicode', 'weird', 'values']) {
    const [input, output] = ['input', 'output'].map((side) => vector('jcs', 'testdata', side, `${name}.json`))
    it.skipIf(input === undefined || output === undefined)(`on the RFC author's vector ${name}`, () => {
      // The one number in them that is an unsafe integer stands in for itself with one that is not.
      const [given, expected] = [input, output].map((text) => text?.replace(/1E30|1e\+30/, '1.5'))
      expect(canonicalText(JSON.parse(given ?? ''))).toBe(expected?.trim())
    })
  }

  const file = vector('agent-receipts', 'cross-sdk-tests', 'canonicalization_vectors.json')
  const cases: readonly CanonicalVector[] = file === undefined ? [] : JSON.parse(file).canonicalization_vectors
  for (const { name, input, canonical } of cases) {
    const unsafe = UNSAFE.has(name)
    it(`${unsafe ? 'except that it refuses' : 'on'} the cross-language vector ${name}`, () => {
      if (unsafe) expect(refusalOf(input).message).toMatch(/beyond 2\^53 - 1/)
      else expect(canonicalText(input)).toBe(canonical)
    })
  }
})

const cyclic: { self?: unknown } = {}
cyclic.self = cyclic
const holed: unknown[] = [1]
holed[2] = 3
const revoked = Proxy.revocable({}, {})
revoked.revoke()

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < levels; i += 1) value = i % 2 === 0 ? [value] : { a: value }
  return value
}

describe('canonicalText refuses what would mean something else to the tool than to the policy', () => {
  const table: readonly (readonly [string, unknown, string, RegExp])[] = [
    [
      'a getter',
      {
        a: {
          get path() {
            return '/safe'
          },
        },
      },
      '/a/path',
      /accessor/,
    ],
    ['a setter', { set path(_: string) {} }, '/path', /accessor/],
    ['toJSON', { a: 1, toJSON: () => ({ a: 2 }) }, '/toJSON', /is a function/],
    ['a Date', { when: new Date(0) }, '/when', /is a Date/],
    ['a Map', { tags: new Map() }, '/tags', /is a Map/],
    ['a File', { upload: new File([], 'x') }, '/upload', /is a File/],
    ['bytes', { data: new Uint8Array(2) }, '/data', /is a Uint8Array/],
    ['a boxed string', { name: new String('x') }, '/name', /is a String/],
    [
      'an instance of a class',
      {
        x: new (class Point {
          y = 1
        })(),
      },
      '/x',
      /instance of a class/,
    ],
    ['an array of a class', { x: new (class List extends Array {})() }, '/x', /array of a class/],
    ['a symbol key', { a: { [Symbol('s')]: 1 } }, '/a', /symbol keys/],
    ['a hidden property', Object.defineProperty({}, 'a', { value: 1, enumerable: false }), '/a', /not enumerable/],
    ['a hole', { list: holed }, '/list', /holes/],
    ['an array with a property', { list: Object.assign([1], { extra: 2 }) }, '/list', /holes or properties/],
    ['undefined in an array', { list: [1, undefined] }, '/list/1', /undefined/],
    ['undefined', undefined, '', /undefined/],
    ['a BigInt', { amount: 10n }, '/amount', /BigInt/],
    ['a symbol', { s: Symbol('x') }, '/s', /symbol/],
    ['NaN', { amount: Number.NaN }, '/amount', /NaN/],
    ['infinity', [Number.POSITIVE_INFINITY], '/0', /Infinity/],
    ['an integer that a double rounds', { id: 2 ** 53 }, '/id', /beyond 2\^53 - 1/],
    ['a lone surrogate', { text: 'a\ud800b' }, '/text', /lone surrogate/],
    ['a lone surrogate in a name', { 'a\udfff': 1 }, '/a\udfff', /lone surrogate/],
    ['__proto__', JSON.parse('{"a":{"__proto__":{"admin":true}}}'), '/a/__proto__', /prototypes/],
    ['constructor', { constructor: 1 }, '/constructor', /prototypes/],
    ['prototype', { x: { prototype: 1 } }, '/x/prototype', /prototypes/],
    ['a cycle', cyclic, `${'/self'.repeat(64)}`, /cycle/],
    ['a revoked Proxy', { p: revoked.proxy }, '/p', /cannot be read/],
    ['a name that needs escaping in a pointer', { 'a/b~c': [Number.NaN] }, '/a~1b~0c/0', /NaN/],
  ]
  for (const [what, value, at, message] of table) {
    it(what, () => {
      const refusal = refusalOf(value)
      expect(refusal.code).toBe('ERR_ARGUMENTS')
      expect(refusal.at).toBe(at)
      expect(refusal.message).toMatch(message)
    })
  }

  it('leaves Object.prototype as it was', () => {
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(({} as { admin?: unknown }).admin).toBeUndefined()
  })
})

describe('canonicalText stops at its limits and not before', () => {
  it('at depth 64', () => {
    expect(canonicalText(nested(64))).toHaveLength(canonicalText(nested(64)).length)
    expect(refusalOf(nested(65)).message).toMatch(/deeper than 64/)
  })

  it('at 10 000 values', () => {
    expect(canonicalText(Array.from({ length: 9_999 }, () => 0))).toMatch(/^\[0,/)
    expect(refusalOf(Array.from({ length: 10_000 }, () => 0)).at).toBe('/9999')
  })

  it('at 1 MiB of UTF-8, counted in bytes and not in characters', () => {
    expect(canonicalText('a'.repeat(1_048_574))).toHaveLength(1_048_576)
    expect(refusalOf('a'.repeat(1_048_575)).message).toMatch(/1048576 bytes/)
    expect(refusalOf('é'.repeat(524_288)).message).toMatch(/1048576 bytes/)
    expect(canonicalText('é'.repeat(524_287))).toHaveLength(524_289)
  })

  it('counts escapes, which are longer than what they stand for', () => {
    expect(refusalOf('\u0001'.repeat(200_000)).message).toMatch(/larger than/)
  })

  it('counts bytes as UTF-8 does', () => {
    for (const text of ['', 'a', 'é', '€', '😀', 'aé€😀']) expect(utf8Length(text)).toBe(Buffer.byteLength(text))
  })
})

describe('canonicalText reads each property once', () => {
  it('so a Proxy that lies the second time is believed the first time only', () => {
    let reads = 0
    const liar = new Proxy(
      { path: '/safe' },
      {
        getOwnPropertyDescriptor: (target, key) => {
          reads += 1
          const property = Reflect.getOwnPropertyDescriptor(target, key)
          return property === undefined ? undefined : { ...property, value: reads === 1 ? '/safe' : '/etc/shadow' }
        },
        get: () => '/etc/shadow',
      },
    )
    expect(canonicalText({ a: liar })).toBe('{"a":{"path":"/safe"}}')
    expect(reads).toBe(1)
  })

  it('and runs no code of the caller', () => {
    let ran = false
    const trap = {
      get path() {
        ran = true
        return 1
      },
    }
    refusalOf(trap)
    expect(ran).toBe(false)
  })

  it('drops members that are undefined, writes -0 as 0, takes objects without a prototype', () => {
    expect(canonicalText(Object.assign(Object.create(null), { b: -0, a: undefined }))).toBe('{"b":0}')
  })
})
