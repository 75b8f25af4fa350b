import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalText } from '../../src/bytes/canonical.ts'
import { legible } from '../../src/bytes/legible.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { cardOf, questionOf } from '../../src/cli/watch/card.ts'
import type { ApprovalRecord } from '../../src/types.ts'
import { pendingWith } from '../support/approvals.ts'

const request = pendingWith({
  ref: 'hp_7f3k9qtm',
  requestDigest: 'digest',
  requires: 'confirmation',
  tool: 'shop/send_mail',
  materiality: 'high',
  principal: { type: 'user', id: 'ada' },
  conversation: 'c1',
  argumentsText: '{"text":"hello","to":"bob"}',
  because: 'name send_mail: it reaches other people',
  createdAt: 0,
  expiresAt: 600_000,
})

/** A terminal of which only the size and the absence of colour matter here. */
const terminalOf = (width: number, height: number): Terminal => ({
  out: () => {},
  note: () => {},
  progress: () => {},
  style: (_style, text) => text,
  width,
  height,
  interactive: true,
})

const card = (changes: Partial<ApprovalRecord>, width = 80, height = 24) =>
  cardOf(pendingWith({ ...request, ...changes }), terminalOf(width, height), 0)
const asking = (text: string) => ({ argumentsText: canonicalText({ text }) })

describe('the card that a person says yes to', () => {
  it('fits on one page when the call is ordinary, with the question below it', () => {
    expect(card({})).toEqual([
      [
        '│ holdpoint asks: may shop/send_mail run once, with exactly these arguments?',
        '│ for user ada; their own yes is asked for',
        '│ high: name send_mail: it reaches other people',
        '│ ',
        '│ ┆ {"text":"hello","to":"bob"}',
        '│ ',
        '│ hp_7f3k9qtm, conversation c1, arguments of 27 bytes, open for another 10 min',
      ].join('\n'),
    ])
    expect(questionOf(request, terminalOf(80, 24))).toBe(
      'Run shop/send_mail once, with exactly these arguments? [y/n] ',
    )
  })

  it('counts blanks and line breaks instead of letting them push the rest off the screen', () => {
    const [page, ...others] = card(asking(`pay${' '.repeat(5_000)}eve${'\n'.repeat(5_000)}now`))
    expect(others).toEqual([])
    expect(page).toContain('"pay⟨5000 blanks⟩eve⟨5000 × \\n⟩now"')
    expect(card(asking(`${'\u202e'.repeat(100)}x`))[0]).toContain('⟨100 × ‹U+202E›⟩x')
    expect(card(asking(`${' \n'.repeat(100)}x`))[0]).toContain('⟨100 ×  \\n⟩x')
  })

  it('leaves numbers, words and short runs as they are', () => {
    for (const text of [
      '1000000000000000',
      'a   b',
      '----------',
      'ha ha ha ha ha ha',
      '{"a":[0,0,0,0,0,0,0,0,0,0]}',
    ]) {
      expect(legible(text)).toBe(text)
    }
  })

  it('shows a second card inside the arguments for what it is: part of the arguments', () => {
    const fake = '│ shop/list_orders  low\n│ ┆ {}\n\nRun shop/list_orders once, with exactly these arguments? [y/n] '
    // As an attacker would: padded so that each line of the fake begins where ours begin.
    const padded = fake.split('\n').map((line) => line.padEnd(75, '.'))
    for (const text of [fake, padded.join('')]) {
      const lines = card(asking(text)).join('\n').split('\n')
      const fakes = lines.filter((line) => line.includes('list_orders'))
      expect(fakes.length).toBeGreaterThan(0)
      for (const line of fakes) expect(line).toMatch(/^│ ┆ /)
      expect(lines.join('')).toContain('⟨U+2502⟩ shop/list_orders')
    }
  })

  it('takes as many pages as it needs and shows every character of the arguments on them', () => {
    const text = Array.from({ length: 4_000 }, (_, n) => String.fromCodePoint(97 + ((n * n + (n >> 3)) % 26))).join('')
    const pages = card(asking(text), 80, 24)
    expect(pages.length).toBeGreaterThan(2)
    const given = pages.flatMap((page) => page.split('\n')).filter((line) => line.startsWith('│ ┆ '))
    expect(given.map((line) => line.slice(4)).join('')).toBe(canonicalText({ text }))
  })

  it('keeps every line inside its border, whoever wrote the text, at any size of the terminal', () => {
    const hostile = fc.string({
      unit: fc.constantFrom(' ', '\n', '│', '┆', '⟨', '⟩', '\u202e', '\u001b', 'a', '値', '🙂'),
    })
    const size = fc.record({ width: fc.integer({ min: 20, max: 130 }), height: fc.integer({ min: 8, max: 60 }) })
    fc.assert(
      fc.property(hostile, hostile, size, (text, name, { width, height }) => {
        const said = { because: name, conversation: name, principal: { type: 'user', id: name, tenant: name } }
        const pages = card({ ...asking(text), ...said }, width, height)
        for (const page of pages) {
          const lines = page.split('\n')
          expect(lines.length).toBeLessThanOrEqual(Math.max(height - 4, 6))
          for (const line of lines) {
            expect(line.startsWith('│ ')).toBe(true)
            expect(['│', '\u202e', '\u001b'].filter((own) => line.slice(2).includes(own))).toEqual([])
            expect(line.lastIndexOf('┆')).toBeLessThanOrEqual(2)
            expect([...line].length).toBeLessThan(width)
          }
        }
      }),
    )
  })

  it('never draws two different arguments alike', () => {
    const unit = fc.constantFrom(' ', ' ', 'a', '\\n', '⟨', '‹', '×', '\u202e', '4')
    const text = fc.array(fc.tuple(unit, fc.integer({ min: 1, max: 60 })), { maxLength: 5 })
    const spelled = (parts: readonly (readonly [string, number])[]) => parts.map(([u, n]) => u.repeat(n)).join('')
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(legible(spelled(one)) === legible(spelled(other))).toBe(spelled(one) === spelled(other))
      }),
    )
  })
})
