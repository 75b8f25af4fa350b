import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { visible } from '../../src/bytes/visible.ts'
import { folded } from '../../src/cli/watch/card.ts'

const hostile = [
  ['a bidi override', '\u202e', '⟨U+202E⟩'],
  ['a bidi isolate', '\u2066', '⟨U+2066⟩'],
  ['a zero-width space', '\u200b', '⟨U+200B⟩'],
  ['a zero-width joiner', '\u200d', '⟨U+200D⟩'],
  ['an escape sequence', '\u001b[2J', '⟨U+001B⟩[2J'],
  ['a C1 control', '\u009b31m', '⟨U+009B⟩31m'],
  ['a line break', 'a\nb', 'a⟨U+000A⟩b'],
  ['a carriage return', 'a\rb', 'a⟨U+000D⟩b'],
  ['a tag character', '\u{e0041}', '⟨U+E0041⟩'],
  ['a variation selector', 'a\ufe0f', 'a⟨U+FE0F⟩'],
  ['a no-break space', 'a\u00a0b', 'a⟨U+00A0⟩b'],
  ['a Hangul filler', '\u3164', '⟨U+3164⟩'],
  ['a blank Braille pattern', '\u2800', '⟨U+2800⟩'],
  ['a lone surrogate', '\ud800', '⟨U+D800⟩'],
  ['an imitation of a mark', '⟨U+202E⟩', '⟨U+27E8⟩U+202E⟨U+27E9⟩'],
  ['a mark that stands on nothing', '"\u0301', '"⟨U+0301⟩'],
] as const

describe('text that a person is asked about', () => {
  it.each(hostile)('shows %s', (_what, text, shown) => {
    expect(visible(text)).toBe(shown)
  })

  it('leaves ordinary text of any script alone', () => {
    for (const text of ['naïve café', 'Grüße', '値段は900円', 'цена', 'السعر', 'हिन्दी', 'e\u0301', '🙂 ok']) {
      expect(visible(text)).toBe(text)
    }
  })

  it('never lets a character through that a terminal obeys, hides or reorders by', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(visible(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u)
      }),
    )
  })

  it('never shows two different texts alike', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
        expect(visible(one) === visible(other)).toBe(one === other)
      }),
    )
  })

  it('loses nothing when it is folded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.integer({ min: 10, max: 120 }), (text, width) => {
        expect(folded(text, width).join('')).toBe(text)
      }),
    )
  })
})
