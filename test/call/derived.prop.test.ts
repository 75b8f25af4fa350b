import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalText, DEFAULT_LIMITS, utf8Length } from '../../src/bytes/canonical.ts'
import { derive } from '../../src/call/derived.ts'
import { snapshot } from '../../src/call/snapshot.ts'
import type { Json } from '../../src/types.ts'

const segment = fc.constantFrom('a', 'b', '..', '.', '', 'srv', ' ', 'ä', '~', '%2e%2e', '\\', '...', '\u0000')
const anyPath = fc
  .array(segment, { maxLength: 8 })
  .chain((parts) => fc.constantFrom(parts.join('/'), `/${parts.join('/')}`))

describe('derived facts', () => {
  it('states ancestors only of paths that POSIX resolves below each of them', () => {
    fc.assert(
      fc.property(anyPath, (given) => {
        const ancestors = derive({ path: given }).derived['/path']?.['ancestors'] as readonly string[]
        for (const ancestor of ancestors) {
          const relative = path.posix.relative(ancestor, path.posix.resolve('/elsewhere', given))
          expect(relative !== '..' && !relative.startsWith('../')).toBe(true)
        }
        if (ancestors.length > 0) expect(ancestors.at(-1)).toBe(path.posix.resolve(given))
      }),
      { numRuns: 1_000 },
    )
  })

  it('states a host only where the URL standard connects to it', () => {
    const piece = fc.constantFrom(
      'http',
      'https',
      ':',
      '//',
      '/',
      '@',
      'example.com',
      'evil.test',
      '.',
      '#',
      '?',
      '\\',
      ':80',
      '%40',
      ' ',
      '[::1]',
      '。',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const url = `https://${pieces.join('')}`
        const facts = derive({ url }).derived['/url']
        if (facts?.['host'] !== '') expect(URL.parse(url)?.hostname.replace(/\.$/, '')).toBe(facts?.['host'])
      }),
      { numRuns: 1_000 },
    )
  })

  it('never throws, whatever the arguments are', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        derive(value as Json)
      }),
    )
  })

  it('never outgrow what a receipt can hold beside the arguments, whatever the arguments are', () => {
    const { maxDepth, maxNodes, maxBytes } = DEFAULT_LIMITS
    const doubled = { maxDepth: maxDepth * 2, maxNodes: maxNodes * 2, maxBytes: maxBytes * 2 }
    const often = (text: string): fc.Arbitrary<string> => fc.nat(4_000).map((times) => text.repeat(times))
    const long = fc.oneof(
      fc.constantFrom('/a', '/', '/é/..', 'a/', '\u0001', 'k').chain(often),
      often('a.').map((labels) => `http://${labels}com`),
      often('a.').map((labels) => `a@${labels}com`),
      often('b').map((scheme) => `${scheme}:`),
      fc.nat(60).map((width) => `/${'w'.repeat(width)}`.repeat(60)),
    )
    const key = fc.oneof(
      fc.constantFrom('path', 'url', 'to', 'amount', 'x'),
      fc.constantFrom('~', '\u0001', 'p').chain(often),
      fc.string(),
    )
    const value: fc.Arbitrary<Json> = fc.oneof(
      long,
      fc
        .tuple(fc.oneof(long, fc.constant<Json>([]), fc.constant<Json>({ to: [] })), fc.nat(300))
        .map(([each, times]) => Array.from({ length: times }, () => each)),
      fc.jsonValue().map((any) => any as Json),
    )
    let largest = 0
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 40, noNullPrototype: true }), (given) => {
        let input: Json
        try {
          input = snapshot({ input: given }).parse()
        } catch {
          return
        }
        const { derived, lengths } = derive(input)
        largest = Math.max(largest, utf8Length(canonicalText({ derived, lengths })))
        expect(largest).toBeLessThanOrEqual(400 * 1_024)
        canonicalText({ arguments: input, derived, lengths }, doubled)
      }),
      { numRuns: 200 },
    )
    // It draws arguments that come near the bound, and not only small ones.
    expect(largest).toBeGreaterThan(32 * 1_024)
  })
})
