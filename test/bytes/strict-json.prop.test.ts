import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseStrict } from '../../src/bytes/strict-json.ts'
import { HoldpointError } from '../../src/errors.ts'
import type { Json } from '../../src/types.ts'

type Outcome = { readonly value: Json } | 'refused'

function outcome(read: () => Json): Outcome {
  try {
    return { value: read() }
  } catch (error) {
    if (error instanceof HoldpointError || error instanceof SyntaxError) return 'refused'
    throw error
  }
}

/** Texts near JSON: pieces that a parser can trip over, in any order. */
const piece = fc.constantFrom(
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"b"',
    '"a":',
    '"',
    '\\',
    '\\u0061',
    '\\"',
    '0',
    '-',
    '1',
    '.5',
    'e3',
    'E-2',
    ' ',
    '\n',
    '\t',
    'true',
    'null',
    'false',
    'tru',
    '\u0000',
    '😀',
    '\ufeff',
    '\u2028',
    '/',
  ],
)
const nearJson = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.json({ maxDepth: 4 }),
  fc
    .tuple(fc.json({ maxDepth: 3 }), fc.nat(200), piece)
    .map(([text, at, broken]) => text.slice(0, at) + broken + text.slice(at)),
)

describe('parseStrict against JSON.parse', () => {
  it('accepts nothing that JSON.parse refuses, and reads the same where it accepts', () => {
    fc.assert(
      fc.property(nearJson, (text) => {
        const strict = outcome(() => parseStrict(text))
        if (strict !== 'refused') expect(strict).toEqual(outcome(() => JSON.parse(text)))
      }),
      { numRuns: 1_000 },
    )
  })

  it('refuses what JSON.parse accepts only for a reason it names', () => {
    fc.assert(
      fc.property(nearJson, (text) => {
        if (outcome(() => JSON.parse(text)) === 'refused') return
        try {
          parseStrict(text)
        } catch (error) {
          expect(String(error)).toMatch(/twice|surrogate|2\^53|beyond a double|prototypes|deeper than/)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('reads bytes as it reads text', () => {
    fc.assert(
      fc.property(nearJson, (text) => {
        fc.pre(text.isWellFormed())
        expect(outcome(() => parseStrict(new TextEncoder().encode(text)))).toEqual(outcome(() => parseStrict(text)))
      }),
    )
  })
})
