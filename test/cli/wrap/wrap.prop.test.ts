import fc from 'fast-check'
import { parse } from 'jsonc-parser'
import { describe, expect, it } from 'vitest'
import { planOf } from '../../../src/cli/wrap/plan.ts'

/** Blanks, line breaks and comments, as they may stand between any two tokens. */
const gap = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('', ' ', '  ', '\n', '\n    ', '\r\n\t') },
  { weight: 1, arbitrary: fc.constantFrom('/* "command": */', ' // [,\n', '/*,*/ ') },
)
const word = fc.oneof(
  fc.constantFrom('npx', '-y', 'mcp', '--', '--name', '--name=a', 'node', 'C:\\npx.cmd', 'cmd', '/c', 'holdpoint'),
  fc.string({ maxLength: 8 }),
)
/** A string with some of its characters escaped that need not be. */
const literal = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(text, fc.boolean()).map(([value, escapes]) => {
    const plain = JSON.stringify(value)
    return escapes ? plain.replaceAll('n', '\\u006e').replaceAll('\\\\u006e', '\\\\n') : plain
  })

/** A list or an object, its parts in brackets, with gaps everywhere and at times a trailing comma. */
function bracketed(open: string, close: string, parts: fc.Arbitrary<readonly string[]>): fc.Arbitrary<string> {
  return fc.tuple(parts, fc.infiniteStream(gap), fc.boolean()).map(([items, gaps, trails]) => {
    const next = (): string => gaps.next().value ?? ''
    const body = items.map((item) => `${next()}${item}${next()}`).join(',')
    return `${open}${body}${trails && items.length > 0 ? ',' : ''}${items.length === 0 ? next() : ''}${close}`
  })
}

const list = (least: number) => bracketed('[', ']', fc.array(literal(word), { minLength: least, maxLength: 4 }))
const member = (name: string, value: fc.Arbitrary<string>) =>
  fc.tuple(gap, gap, value).map(([a, b, text]) => `"${name}"${a}:${b}${text}`)

const others = fc.shuffledSubarray([
  '"env": { "A": "1", }',
  '"cwd": "/x"',
  '"disabled":false',
  '"type":"stdio"',
  '"timeout" :1',
])
const started = fc
  .tuple(member('command', literal(word)), fc.option(member('args', list(0))), others)
  .chain(([command, args, rest]) => {
    const members = [command, ...(args === null ? [] : [args]), ...rest]
    return bracketed('{', '}', fc.shuffledSubarray(members, { minLength: members.length }))
  })
const listed = bracketed('{', '}', fc.tuple(member('command', list(1)), fc.constant('"type": "local"')))
const remote = fc.constant('{ "url": "https://example.com/mcp" }')

function config(section: string, server: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const servers = fc
    .uniqueArray(fc.string({ maxLength: 6 }), { minLength: 1, maxLength: 4 })
    .chain((names) => fc.tuple(...names.map((name) => server.map((text) => `${JSON.stringify(name)}: ${text}`))))
  return fc
    .tuple(gap, bracketed('{', '}', servers), gap)
    .map(([a, text, b]) => `${a}{ "before": [1, /* x */ 2], "${section}":${text}, "after": null }${b}`)
}

const configs = fc.oneof(
  config('mcpServers', fc.oneof(started, remote)),
  config('servers', started),
  config('context_servers', started),
  config('mcp', fc.oneof(listed, remote)),
)

const terms = { launcher: undefined, only: undefined }
const wrap = (text: string): string => planOf(text, 'file', { ...terms, undo: false }).text
const undo = (text: string): string => planOf(text, 'file', { ...terms, undo: true }).text

interface Server {
  readonly command?: string | readonly string[]
  readonly args?: readonly string[]
}
const partsOf = ({ command = [], args = [] }: Server): readonly string[] => [command, args].flat()

describe('a wrapped configuration', () => {
  it('comes back byte for byte, and wraps but once', () => {
    fc.assert(
      fc.property(configs, (text) => {
        // Whoever wrote holdpoint into a server's place by hand has wrapped it: that is not the text to come back to.
        fc.pre(undo(text) === text)
        const wrapped = wrap(text)
        expect(wrap(wrapped)).toBe(wrapped)
        expect(undo(wrapped)).toBe(text)
      }),
      { numRuns: 1_000 },
    )
  })

  it('is JSON in which each command begins with holdpoint and ends with what it was, and nothing else has changed', () => {
    fc.assert(
      fc.property(configs, (text) => {
        fc.pre(undo(text) === text)
        const section = /"(mcpServers|servers|context_servers|mcp)":/.exec(text)?.[1] ?? ''
        const [before, after] = [parse(text), parse(wrap(text))]
        for (const [name, server] of Object.entries<Server>(before[section])) {
          const now: Server = after[section][name]
          const parts = partsOf(now)
          const own = partsOf(server)
          if (own.length === 0) {
            expect(now).toEqual(server)
            continue
          }
          expect(parts.slice(parts.length - own.length)).toEqual(own)
          expect(parts[parts.length - own.length - 1]).toBe('--')
          expect(parts.slice(0, 6).join(' ')).toContain('holdpoint mcp')
          expect({ ...now, command: 0, args: 0 }).toEqual({ ...server, command: 0, args: 0 })
        }
        expect({ ...after, [section]: 0 }).toEqual({ ...before, [section]: 0 })
      }),
      { numRuns: 500 },
    )
  })
})
