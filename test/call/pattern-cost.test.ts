import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSteady } from '../../src/call/pattern-cost.ts'

describe('a pattern of a stranger is run', () => {
  const steady = [
    '',
    'abc',
    '^[a-z0-9_-]{1,64}$',
    '^[^/]+$',
    String.raw`^\d{4}-\d{2}-\d{2}$`,
    String.raw`^(today|tomorrow|\d{4}-\d{2}-\d{2}|today\.\.\*)$`,
    '^(?:GET|POST) .+?$',
    '^(?<year>[0-9]{4})$',
    'colou?r',
    String.raw`^\(+$`,
    '^[(+*)|]+$',
    String.raw`^\p{L}*$`,
  ]
  for (const pattern of steady)
    it(`when nothing in it can backtrack for long: ${pattern}`, () => expect(isSteady(pattern)).toBe(true))
})

describe('a pattern of a stranger is left to the tool', () => {
  const table: readonly (readonly [string, string])[] = [
    ['repeats what repeats', '^(a+)+$'],
    ['repeats what repeats, deeper', '^((a)+b?)+$'],
    ['repeats a choice', '^(a|a)*$'],
    ['repeats a group, however tame', '^(?:ab)+$'],
    ['repeats a group a few times', '^(a*){9}$'],
    ['repeats two things that overlap', '^a*a*$'],
    ['repeats two things, a long way apart', '^[a-z]+-x-[a-z]{2,}$'],
    ['repeats two things with both ends open', '.*a.*'],
    ['may start anywhere', 'a+$'],
    ['may start anywhere in one of its choices', '^x|a+$'],
    ['starts at the start in a group only', '(^a+)$'],
    ['has more ways than the text has letters', `^${'a?'.repeat(30)}${'a'.repeat(30)}$`],
    ['chooses again and again', `^${'(?:a|a)'.repeat(30)}$`],
    ['chooses between the same inside choices', `^${'('.repeat(20)}a${'|a)'.repeat(20)}$`],
    ['counts far at each place', 'a{5000}b'],
    ['counts far behind a repetition', '^[ab]*a{5000}c'],
    ['spells out a long text behind a repetition', `^a*${'a'.repeat(400)}b`],
    ['looks ahead', '^(?=a*a*$)a'],
    ['looks behind', '^a(?<!a+)'],
    ['refers back', String.raw`^(a)\1`],
    ['refers back by name', String.raw`^(?<x>a)\k<x>`],
    ['switches flags', '^(?i:a)'],
    ['is longer than anybody reads', `^${'a'.repeat(2_000)}`],
  ]
  for (const [what, pattern] of table)
    it(`when it ${what}: ${pattern.slice(0, 40)}`, () => expect(isSteady(pattern)).toBe(false))

  const piece = fc.constantFrom('a', '[ab]', String.raw`\d`, '(a)', '(?:a|b)', '.', String.raw`\(`, '[)]')
  const often = fc.constantFrom('', '?', '*', '+', '+?', '{2}', '{2,}', '{2,9}')
  const pieces = fc.array(fc.tuple(piece, often), { maxLength: 6 })

  it('whenever two pieces of it repeat, whatever stands between them', () => {
    const repeats = fc.constantFrom('*', '+', '+?', '{2,}', '{2,9}')
    const written = (parts: readonly (readonly [string, string])[]): string =>
      parts.map((part) => part.join('')).join('')
    fc.assert(
      fc.property(pieces, piece, repeats, pieces, piece, repeats, (before, one, often1, between, other, often2) => {
        expect(isSteady(`^${written(before)}${one}${often1}${written(between)}${other}${often2}`)).toBe(false)
      }),
    )
  })

  it('whenever a group of it repeats', () => {
    fc.assert(
      fc.property(pieces, fc.constantFrom('?', '*', '+', '{2}', '{2,}'), (inside, repeats) => {
        expect(isSteady(`^(${inside.map((part) => part.join('')).join('')})${repeats}$`)).toBe(false)
      }),
    )
  })
})
