import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAnswer } from '../../src/decide/answer.ts'

const PERMIT = { kind: 'permit', obligations: [], determining: ['a'], errors: [] } as const

describe('reading an answer strictly', () => {
  it.each([
    PERMIT,
    { ...PERMIT, obligations: [{ id: 'a', type: 'notify', properties: { to: ['finance', 1, null, true] } }] },
    { kind: 'deny', determining: ['a'], errors: [], sentence: 'No.' },
    { kind: 'silence', cause: { kind: 'no_permit' }, determining: [], errors: ['b'] },
    { kind: 'silence', cause: { kind: 'requestable', requires: 'approval:finance' }, determining: [], errors: [] },
    { kind: 'silence', cause: { kind: 'absent', fault: 'unavailable' }, determining: [], errors: [] },
    { kind: 'silence', cause: { kind: 'wrong', fault: 'stale', detail: 'old' }, determining: [], errors: [] },
  ])('reads %j as it is, in a copy', (answer) => {
    const read = readAnswer(answer)
    expect(read).toEqual(answer)
    expect(read).not.toBe(answer)
  })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['the word alone', 'permit'],
    ['a number', 1],
    ['a list', [PERMIT]],
    ['a function', () => PERMIT],
    ['an empty object', {}],
    ['another spelling', { ...PERMIT, kind: 'Permit' }],
    ['a boxed word', { ...PERMIT, kind: new String('permit') }],
    ['a list with one word', { ...PERMIT, kind: ['permit'] }],
    ['an unknown member', { ...PERMIT, decision: true }],
    ['a missing member', { kind: 'permit', determining: [], errors: [] }],
    ['a member of another type', { ...PERMIT, determining: 'a' }],
    ['an id that is no text', { ...PERMIT, determining: [1] }],
    ['a symbol', { ...PERMIT, [Symbol('permit')]: true }],
    ['a permit with a sentence', { ...PERMIT, sentence: 'go' }],
    ['an obligation without properties', { ...PERMIT, obligations: [{ id: 'a', type: 'b' }] }],
    ['an obligation with more', { ...PERMIT, obligations: [{ id: 'a', type: 'b', properties: {}, optional: true }] }],
    [
      'an obligation with a function',
      { ...PERMIT, obligations: [{ id: 'a', type: 'b', properties: { run: () => 1 } }] },
    ],
    ['a list with a hole', { ...PERMIT, determining: new Array(1) }],
    ['a list with too many', { ...PERMIT, determining: Array.from({ length: 2_000 }, () => 'a') }],
    ['a sentence that is too long', { kind: 'deny', determining: [], errors: [], sentence: 'x'.repeat(5_000) }],
    ['an unknown cause', { kind: 'silence', cause: { kind: 'maybe' }, determining: [], errors: [] }],
    ['an unknown fault', { kind: 'silence', cause: { kind: 'absent', fault: 'coffee' }, determining: [], errors: [] }],
    [
      'a requirement nobody can meet',
      { kind: 'silence', cause: { kind: 'requestable', requires: 'x' }, determining: [], errors: [] },
    ],
    ['the inherited', Object.create(PERMIT)],
    [
      'an instance of a class',
      new (class {
        kind = 'permit'
        obligations = []
        determining = []
        errors = []
      })(),
    ],
    ['a getter', Object.defineProperty({ ...PERMIT }, 'kind', { get: () => 'permit', enumerable: true })],
    ['a hidden member', Object.defineProperty({ ...PERMIT }, 'kind', { value: 'permit', enumerable: false })],
    [
      'a Proxy that throws',
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('boo')
          },
        },
      ),
    ],
    ['a revoked Proxy', revoked()],
  ])('I4: takes %s for a wrong answer', (_, answer) => {
    expect(readAnswer(answer)).toMatchObject({ kind: 'silence', cause: { kind: 'wrong', fault: 'malformed' } })
  })

  it('I4: believes what an answer holds, not what it says when asked', () => {
    const liar = new Proxy({ kind: 'deny', determining: [], errors: [] }, { get: () => 'permit' })
    expect(readAnswer(liar)).toMatchObject({ kind: 'deny' })
  })

  it('I4: an answer that changes while it is read is one thing or malformed, never a mixture', () => {
    let asked = 0
    const turncoat = new Proxy(
      { ...PERMIT },
      {
        getOwnPropertyDescriptor: (target, key) => {
          asked += 1
          const value = key === 'kind' && asked > 1 ? 'deny' : Reflect.get(target, key)
          return { value, enumerable: true, configurable: true, writable: true }
        },
      },
    )
    const read = readAnswer(turncoat)
    asked = 100
    expect(read).toEqual(PERMIT)
  })

  it('I4: nothing but the literal shape is ever a permit', () => {
    const bit = fc.oneof(
      fc.constantFrom('permit', 'deny', 'silence', 'kind', true, null),
      fc.array(fc.string(), { maxLength: 2 }),
      fc.jsonValue({ maxDepth: 2 }),
    )
    const almost = fc.record(
      {
        kind: fc.oneof(fc.constant('permit'), bit),
        obligations: fc.oneof(fc.constant([]), bit),
        determining: fc.oneof(fc.constant(['a']), bit),
        errors: fc.oneof(fc.constant([]), bit),
        more: bit,
      },
      { requiredKeys: [] },
    )
    let permits = 0
    fc.assert(
      fc.property(almost, (answer) => {
        const read = readAnswer(answer)
        if (read.kind !== 'permit') return
        permits += 1
        expect(answer).toEqual(read)
        expect(Object.keys(answer).sort()).toEqual(['determining', 'errors', 'kind', 'obligations'])
      }),
      { numRuns: 2_000 },
    )
    expect(permits).toBeGreaterThan(0)
  })
})

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
