import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalText } from '../../src/bytes/canonical.ts'
import { parseStrict } from '../../src/bytes/strict-json.ts'
import { readCanonical } from '../../src/receipt/envelope.ts'

const LIMITS = { maxDepth: 8, maxNodes: 4_096, maxBytes: 32_768 }

/** What the strict reader and the writer make of a text, one after the other. */
function strictly(text: string): unknown {
  try {
    const value = parseStrict(text, LIMITS)
    return canonicalText(value, LIMITS) === text ? { value } : 'refused'
  } catch {
    return 'refused'
  }
}

function read(text: string): unknown {
  try {
    return { value: readCanonical(new TextEncoder().encode(text)) }
  } catch {
    return 'refused'
  }
}

/** What two readers of JSON have disagreed about. */
const ODD = [
  '{"a":1,"a":2}',
  '{"a":1,"\\u0061":1}',
  '{"b":1,"a":2}',
  '{"__proto__":1}',
  '{"a":{"constructor":1}}',
  '[-0]',
  '[1.0]',
  '[1e2]',
  '[1E400]',
  '[9007199254740993]',
  '["\\ud800"]',
  '["\\u00e9"]',
  '["\\/"]',
  '\ufeff{}',
  '{} ',
  ' {}',
  '{"a":1}{"b":2}',
  '[[[[[[[[1]]]]]]]]',
  '[[[[[[[[[1]]]]]]]]]',
  '['.repeat(30_000),
  `[${'1,'.repeat(4_100)}1]`,
  '',
  'null',
  '"é"',
  '{"":1}',
]

const value = fc.jsonValue({ maxDepth: 5 })
/** Canonical texts, and texts with one thing put in, taken out or put twice. */
const texts = fc.oneof(
  fc.constantFrom(...ODD),
  value.map((one) => JSON.stringify(one)),
  value.map((one) => {
    try {
      return canonicalText(one)
    } catch {
      return '{}'
    }
  }),
  fc
    .tuple(fc.constantFrom(...ODD), fc.nat(40), fc.constantFrom(' ', '"', '0', ',', '-', '\\', '{', 'e'))
    .map(([text, at, more]) => text.slice(0, at) + more + text.slice(at)),
)

describe('I6: canonical or refused', () => {
  it('I6: takes exactly the texts that a strict reader takes and a writer writes again, and reads the same', () => {
    fc.assert(
      fc.property(texts, (text) => {
        if (!text.isWellFormed()) return
        expect(read(text)).toEqual(strictly(text))
      }),
      { numRuns: 2_000 },
    )
  })

  it.each(ODD.map((text) => [text.slice(0, 40), text]))('as here: %s', (_, text) => {
    expect(read(text)).toEqual(strictly(text))
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(() => readCanonical(Uint8Array.of(0x22, 0xff, 0x22))).toThrow()
  })
})
