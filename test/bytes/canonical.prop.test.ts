import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalText } from '../../src/bytes/canonical.ts'
import { sha256 } from '../../src/bytes/digest.ts'
import { parseStrict } from '../../src/bytes/strict-json.ts'
import type { Json } from '../../src/types.ts'

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype'])
const key = fc.string({ unit: 'grapheme', maxLength: 6 }).filter((name) => !FORBIDDEN.has(name))
const number = fc
  .oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value))
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, false),
    number,
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(key, tie('json'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))

/** The same value with every object's members in the opposite order. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  )
}

/** JSON equality: -0 is 0, and member order is nothing. */
function same(a: Json, b: Json): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, i) => same(each, b[i] ?? null))
  if (
    typeof a !== 'object' ||
    a === null ||
    typeof b !== 'object' ||
    b === null ||
    Array.isArray(a) ||
    Array.isArray(b)
  ) {
    return a === b
  }
  const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))]
  return (
    left.size === right.size &&
    [...left].every(([name, member]) => right.has(name) && same(member, right.get(name) ?? null))
  )
}

describe('I3: what executes is what was decided', () => {
  it('I3: the digest ignores key order and nothing else', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(sha256(canonicalText(reversed(a)))).toBe(sha256(canonicalText(a)))
        expect(sha256(canonicalText(a)) === sha256(canonicalText(b))).toBe(same(a, b))
      }),
    )
  })

  it('I3: the digest changes with any one change of a leaf', () => {
    fc.assert(
      fc.property(json, key, json, json, (around, name, a, b) => {
        fc.pre(!same(a, b))
        expect(canonicalText([around, { [name]: a }])).not.toBe(canonicalText([around, { [name]: b }]))
      }),
    )
  })

  it('I3: the tool parses exactly what was hashed, strictly read or not', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalText(value)
        expect(same(JSON.parse(text), value)).toBe(true)
        expect(canonicalText(JSON.parse(text))).toBe(text)
        expect(canonicalText(parseStrict(text))).toBe(text)
      }),
    )
  })
})
