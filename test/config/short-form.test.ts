import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/read.ts'
import { HoldpointError } from '../../src/errors.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-short-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function read(yaml: string) {
  writeFileSync(join(folder, 'holdpoint.yaml'), yaml)
  return readConfig(folder)
}

/** The error of a word on `refund` whose `permit` is this. */
function mistake(yaml: string): string {
  try {
    read(yaml)
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'ERR_CONFIG') return error.message
    throw error
  }
  throw new Error('the configuration was accepted')
}

const inPermit = (written: string): string => mistake(`tools:\n  refund:\n    permit: ${written}\n`)

describe('rules in the short form', () => {
  it('are read with the place of each condition, so that whatever goes wrong later names it', () => {
    const { shortRules, words } = read(
      'server: shop\ntools:\n  refund:\n    materiality: high\n    permit:\n      amount: { min: 1, max: 500 }\n      currency: { oneOf: [EUR, USD] }\n    otherwise: { ask: finance, say: Ask finance. }\n  files/write: { permit: { path: { under: /srv }, /to/url: { host: [a.com, b.com] } } }\n  look: { permit: always }\n  wipe: deny\n  plain: { materiality: low }\n',
    )
    expect(shortRules).toEqual([
      {
        name: 'refund',
        tool: 'shop/refund',
        at: 'holdpoint.yaml:3:3',
        says: {
          kind: 'permit-when',
          conditions: [
            { path: ['amount'], at: 'holdpoint.yaml:6:7', min: 1, max: 500 },
            { path: ['currency'], at: 'holdpoint.yaml:7:7', oneOf: ['EUR', 'USD'] },
          ],
          otherwise: { at: 'holdpoint.yaml:8:5', ask: 'finance', say: 'Ask finance.' },
        },
      },
      {
        name: 'files/write',
        tool: 'files/write',
        at: 'holdpoint.yaml:9:3',
        says: {
          kind: 'permit-when',
          conditions: [
            { path: ['path'], at: 'holdpoint.yaml:9:28', under: ['/srv'] },
            { path: ['to', 'url'], at: 'holdpoint.yaml:9:51', host: ['a.com', 'b.com'] },
          ],
          otherwise: { at: 'holdpoint.yaml:9:3' },
        },
      },
      { name: 'look', tool: 'shop/look', at: 'holdpoint.yaml:10:3', says: { kind: 'permit' } },
      { name: 'wipe', tool: 'shop/wipe', at: 'holdpoint.yaml:11:3', says: { kind: 'deny' } },
    ])
    expect(words.get('shop/refund')?.materiality).toBe('high')
    expect(words.get('shop/wipe')).toEqual({ source: 'holdpoint.yaml:11' })
  })

  it('may come from code as well', () => {
    expect(readConfig(false, { tools: { wipe: 'deny' } }).shortRules).toEqual([
      { name: 'wipe', tool: 'local/wipe', at: 'createGate options', says: { kind: 'deny' } },
    ])
  })
})

describe('a mistake in the short form names file, line, column and what was expected', () => {
  it.each<[string, string, RegExp]>([
    ['an unknown word', '{ amount: { maxx: 5 } }', /^holdpoint\.yaml:3:25: .*did you mean "max"\?/],
    ['a word that is like none', '{ amount: { below: 5 } }', /known keys: max, min, oneOf, under, host/],
    [
      'a number that is none',
      '{ amount: { max: much } }',
      /^holdpoint\.yaml:3:30: .*permit\.amount\.max" must be a number/,
    ],
    ['a finer number than can be compared', '{ amount: { max: 0.00001 } }', /at most 4 decimal places/],
    ['an infinite number', '{ amount: { max: .inf } }', /must be a number/],
    ['a limit below a limit', '{ amount: { max: 1, min: 2 } }', /has a "min" above its "max"/],
    ['no word', '{ amount: {} }', /must be a mapping with one or more of max, min, oneOf, under and host/],
    ['a bare value', '{ amount: 500 }', /permit\.amount" must be a mapping with one or more of max/],
    ['no argument', '{}', /to let every call run, write "always"/],
    ['a truth', 'true', /must be "always", or a mapping/],
    ['a list that is none', '{ currency: { oneOf: EUR } }', /must be a list of 1 to 100/],
    ['an empty list', '{ currency: { oneOf: [] } }', /must be a list of 1 to 100/],
    ['a mixed list', '{ currency: { oneOf: [EUR, 5] } }', /all of one kind/],
    ['a relative folder', '{ path: { under: reports } }', /must be an absolute folder in its shortest form/],
    ['a folder that climbs', '{ path: { under: /srv/../etc } }', /must be an absolute folder/],
    ['a folder with a slash behind', '{ path: { under: /srv/ } }', /no slash at the end/],
    ['a home folder', '{ path: { under: ~/notes } }', /must be an absolute folder/],
    ['a URL for a host', '{ url: { host: "https://example.com" } }', /must be a host in lower case/],
    ['a pattern for a host', '{ url: { host: "*.example.com" } }', /covers what is below it/],
    ['an element of a list', '{ /to/0: { host: example.com } }', /elements of lists cannot be named/],
  ])('%s', (_, written, says) => {
    expect(inPermit(written)).toMatch(says)
    expect(inPermit(written)).toMatch(/^holdpoint\.yaml:3:\d+: /)
  })

  it.each<[string, string, RegExp]>([
    ['nothing to do otherwise', 'otherwise: {}', /must be a mapping with ask, say or both/],
    ['an unknown key of otherwise', 'otherwise: { aks: finance }', /did you mean "ask"\?/],
    ['a role that is none', 'otherwise: { ask: the boss }', /must be confirmation or a role such as finance/],
    ['a refusal without a permit', 'otherwise: { say: No. }', /without "permit" must say whom to "ask".*write "deny"/],
  ])('%s', (_, written, says) => {
    expect(mistake(`tools:\n  refund:\n    ${written}\n`)).toMatch(says)
  })

  it('what comes after everything', () => {
    expect(mistake('tools:\n  refund:\n    permit: always\n    otherwise: { ask: finance }\n')).toMatch(
      /^holdpoint\.yaml:4:\d+: "tools\.refund\.otherwise" comes after "permit: always"/,
    )
  })
})
