import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { derive } from '../../src/call/derived.ts'
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
})
