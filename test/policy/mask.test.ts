import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LONGEST_ACTUAL, maskActual } from '../../src/policy/mask.ts'

describe('I9: what a refusal shows of a value', () => {
  it.each([
    ['an API key', 'sk-proj-abcdefghijklmnop1234'],
    ['a GitHub token', 'ghp_abcdefghijklmnopqrstuvwxyz012345'],
    ['an AWS key id', 'AKIAIOSFODNN7EXAMPLE'],
    ['a JWT', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'],
    ['a bearer header', 'Bearer abcdef.ghijkl'],
    ['a password in a URL', 'https://alice:hunter2@example.com/'],
    ['a password in a query', 'user=alice&password=hunter2'],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI'],
    ['a password in JSON', '{"user":"alice","password":"hunter2 hunter3"}'],
    ['a password in JSON in JSON', '{"body":"{\\"client_secret\\":\\"hunter2\\"}"}'],
    ['a header in JSON', '{"authorization":"Digest hunter22"}'],
    ['an AWS secret', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
    ['a long random run', 'x9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4'],
  ])('masks %s', (_, secret) => {
    const shown = maskActual(`use ${secret} now`, '/text')
    expect(shown).toContain('[masked]')
    for (const run of secret.match(/[A-Za-z0-9]{7,}/g) ?? []) {
      if (!/^(?:password|example|private|https|authorization)$/i.test(run)) expect(shown).not.toContain(run)
    }
  })

  it.each([
    '/password',
    '/auth/api_key',
    '/apiKey',
    '/sessionToken',
    '/authorization',
    '/cookie',
    '/password/value',
    '/auth/0',
  ])('never shows the value of %s', (path) => {
    expect(maskActual('anything', path)).toBe('[masked]')
  })

  it.each([
    '900',
    '/etc/passwd',
    'https://example.com/a/b',
    'alice@example.com',
    'EUR',
    'the parcel arrived damaged',
    '/home/alice/reports/2024/quarter-3/summary.md',
  ])('shows %s as it is', (text) => {
    expect(maskActual(text, '/argument')).toBe(text)
  })

  it('makes characters visible that would deceive or command a reader', () => {
    expect(maskActual('a\u001b[2Jb\u202ec\u200bd\ne', '/x')).toBe('a\\u{1b}[2Jb\\u{202e}c\\u{200b}d\\u{a}e')
  })

  it('is never longer than the limit, never half a character, and never holds a hidden one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const shown = maskActual(text, '/x')
        expect(shown.length).toBeLessThanOrEqual(LONGEST_ACTUAL)
        expect(shown.isWellFormed()).toBe(true)
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}]/u)
      }),
    )
  })

  it('takes no longer for a value made to slow it down', () => {
    for (const text of [
      'a'.repeat(1_000_000),
      '-----BEGIN '.repeat(1_000),
      'password = '.repeat(1_000),
      'password"'.repeat(1_000),
      '://'.repeat(10_000),
    ]) {
      expect(maskActual(text, '/x').length).toBeLessThanOrEqual(LONGEST_ACTUAL)
    }
  })
})
