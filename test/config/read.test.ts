import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/read.ts'
import { HoldpointError } from '../../src/errors.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), text)
}

/** What reading this `holdpoint.yaml` throws. */
function mistake(yaml: string | Uint8Array): { readonly message: string; readonly at: string | undefined } {
  write('holdpoint.yaml', yaml)
  try {
    readConfig(folder)
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'ERR_CONFIG') return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

const POLICY = '@id("p")\npermit(principal, action, resource);\n'

it('keeps own places as addresses are read: lower case, punycode, no dot at the end', () => {
  const hosts = ['API.Example.com.', 'münchen.example', '0x7f.1', 'localhost']
  expect(readConfig(folder, { own: { hosts } }).options.own?.hosts).toEqual([
    'api.example.com',
    'xn--mnchen-3ya.example',
    '127.0.0.1',
    'localhost',
  ])
})

describe('a folder without holdpoint.yaml', () => {
  it('gets the default policy, so that there is always one', () => {
    const config = readConfig(folder)
    expect(config.file).toBeUndefined()
    expect(config.options).toEqual({})
    expect(config.policyFiles.map((file) => file.path)).toEqual(['ask/v1'])
    expect(config.policyFiles[0]?.text).toContain('permit')
  })

  it('uses its own policies folder before the default, sorted by name', () => {
    write('policies/b.cedar', POLICY)
    write('policies/a.cedar', POLICY)
    write('policies/readme.md', 'not a policy')
    const files = readConfig(folder).policyFiles
    expect(files.map((file) => file.path)).toEqual(['policies/a.cedar', 'policies/b.cedar'])
  })

  it('takes a policies folder of test tables alone for none', () => {
    write('policies/ask.test.yaml', 'cases: []')
    expect(readConfig(folder).policyFiles.map((file) => file.path)).toEqual(['ask/v1'])
  })

  it.each(['mine.ceder', 'mine.cedar.bak', 'readme.md', 'mine.yaml'])(
    'does not fall back to the default where the policies folder holds %s: a rule may be lost',
    (name) => {
      write('policies/ask.test.yaml', 'cases: []')
      write(`policies/${name}`, POLICY)
      expect(() => readConfig(folder)).toThrow(/no policy file matches policies\/\*\.cedar; add one, or name/)
    },
  )

  it('reads nothing at all when told so, not even a policies folder', () => {
    expect(readConfig(false).policyFiles.map((file) => file.path)).toEqual(['ask/v1'])
    expect(readConfig(false).file).toBeUndefined()
  })

  it('says so when a named file does not exist, instead of running on defaults', () => {
    expect(() => readConfig({ file: join(folder, 'other.yaml') })).toThrow(/other\.yaml does not exist/)
  })
})

describe('a good file', () => {
  it('yields its options and where each word of the operator stands', () => {
    write(
      'holdpoint.yaml',
      'server: shop\ntimeoutMs: 500\ntools:\n  refund: { materiality: high, surface: financial }\n  files/read_file:\n    materiality: low\n    reads: [private, untrusted]\n',
    )
    const config = readConfig(folder)
    expect(config.file).toBe(join(folder, 'holdpoint.yaml'))
    expect(config.options).toMatchObject({ server: 'shop', timeoutMs: 500 })
    expect([...config.words]).toEqual([
      ['shop/refund', { materiality: 'high', surface: 'financial', source: 'holdpoint.yaml:4' }],
      ['files/read_file', { materiality: 'low', reads: ['private', 'untrusted'], source: 'holdpoint.yaml:5' }],
    ])
  })

  it('lets code win key by key, and says that the word came from code', () => {
    write('holdpoint.yaml', 'server: shop\ntools: { refund: { materiality: low } }\n')
    const config = readConfig(folder, { tools: { refund: { materiality: 'high' } } })
    expect(config.options.server).toBe('shop')
    expect(config.words.get('shop/refund')).toEqual({ materiality: 'high', source: 'code' })
  })

  it('has a digest that follows what it says, not how it is written', () => {
    write('holdpoint.yaml', 'timeoutMs: 500\nserver: shop\n')
    const first = readConfig(folder).digest
    write('holdpoint.yaml', '# the same\nserver: "shop"\ntimeoutMs: 0x1f4\n')
    expect(readConfig(folder).digest).toBe(first)
    write('holdpoint.yaml', 'server: shop\ntimeoutMs: 501\n')
    expect(readConfig(folder).digest).not.toBe(first)
  })

  it('may be empty or hold only comments', () => {
    write('holdpoint.yaml', '# nothing yet\n')
    expect(readConfig(folder).options).toEqual({})
  })

  it('finds files, folders, patterns and shipped policies, each once', () => {
    write('rules/a-1.cedar', POLICY)
    write('rules/a-2.cedar', POLICY)
    write('rules/b-1.cedar', POLICY)
    write('holdpoint.yaml', 'policies: [strict/v1, rules/a-*.cedar, rules/a-1.cedar, rules/]\n')
    const paths = readConfig(folder).policyFiles.map((file) => file.path)
    expect(paths).toEqual(['strict/v1', 'rules/a-1.cedar', 'rules/a-2.cedar', 'rules/b-1.cedar'])
  })
})

describe('a mistake in holdpoint.yaml', () => {
  const table: readonly (readonly [what: string, yaml: string, line: number, says: RegExp])[] = [
    ['an unknown key', 'server: shop\ntimeoutMS: 100\n', 2, /unknown key "timeoutMS"; did you mean "timeoutMs"\?/],
    ['a key like no other', 'zzzzzz: 1\n', 1, /unknown key "zzzzzz"; known keys: server, tools/],
    ['an unknown nested key', 'failMode:\n  lo: open\n', 2, /unknown key "failMode\.lo"; did you mean "low"\?/],
    ['an unknown key of a tool', 'tools:\n  pay:\n    materialty: high\n', 3, /did you mean "materiality"\?/],
    ['an unknown key of the store', 'store:\n  foldr: x\n', 2, /unknown key "store\.foldr"; did you mean "folder"\?/],
    ['a wrong value', 'timeoutMs: fast\n', 1, /"timeoutMs" must be a whole number of milliseconds from 1 to 60000/],
    ['a value out of range', '\ntimeoutMs: 60001\n', 2, /from 1 to 60000/],
    [
      'a label that does not exist',
      'tools:\n  inbox:\n    reads: [secret]\n',
      3,
      /must be a list of private and untrusted/,
    ],
    ['a label that is no list', 'tools:\n  inbox:\n    reads: private\n', 3, /must be a list of private and untrusted/],
    ['no label at all', 'tools:\n  inbox:\n    reads: []\n', 3, /must be a list of private and untrusted/],
    ['a tier that does not exist', 'tools:\n  pay:\n    materiality: critical\n', 3, /must be low, medium or high/],
    ['own places that are no mapping', 'own: example.com\n', 1, /"own" must be a mapping such as \{domains/],
    [
      'own places of another kind',
      'own:\n  domain: [example.com]\n',
      2,
      /unknown key "own\.domain"; did you mean "domains"/,
    ],
    ['no own domain', 'own:\n  domains: []\n', 2, /must be a list of names such as \[example\.com\]/],
    ['an own domain with a star', 'own:\n  domains: ["*.example.com"]\n', 2, /must be a name such as example\.com/],
    ['half the world as one’s own', 'own:\n  domains:\n    - example.com\n    - com\n', 4, /must be a name such as/],
    ['an own host with its scheme', 'own:\n  hosts: [https://example.com]\n', 2, /must be a name such as example\.com/],
    ['an own domain with a user', 'own:\n  domains: ["a@example.com"]\n', 2, /must be a name such as example\.com/],
    ['high set to open', 'failMode:\n  low: open\n  high: open\n', 3, /can never be "open"/],
    ['medium set to open', 'failMode: { medium: open }\n', 1, /can never be "open"/],
    ['observe mode', 'mode: observe\n', 1, /"mode" cannot be set here/],
    ['a word on a tool that is none', 'tools:\n  drop: refuse\n', 2, /must be a mapping such as .*, or "deny"/],
    ['deny inside a mapping', 'tools:\n  drop: { deny: true }\n', 2, /is written without a mapping: "drop: deny"/],
    ['a duplicate key', 'server: a\ntimeoutMs: 5\nserver: b\n', 3, /stands here twice/],
    [
      'a tool with and without its server',
      'tools:\n  pay: deny\n  local/pay: { materiality: low }\n',
      3,
      /holdpoint\.yaml:2: write one/,
    ],
    ['a duplicate tool', 'tools:\n  pay: { materiality: high }\n  pay: { materiality: low }\n', 3, /stands here twice/],
    ['two documents', 'server: a\n---\nserver: b\n', 2, /one document/],
    ['a list', '- server\n', 1, /must be a mapping of keys to values/],
    ['a bare text', 'server\n', 1, /must be a mapping of keys to values/],
    ['broken YAML', 'server: shop\ntools: { a: [\n', 3, /not valid YAML/],
    ['a tag', 'server: !!js/function "x"\n', 1, /tags/],
    ['a key that is no text', '? [a]\n: b\n', 1, /keys must be plain names/],
    ['the prototype', 'tools:\n  __proto__: { materiality: low }\n', 2, /cannot be used as a key/],
    ['a bad server name', 'server: My Shop\n', 1, /lower-case letters, digits and hyphens/],
    ['a bad tool name', 'tools:\n  "pay me": { materiality: low }\n', 2, /is not a tool name/],
    ['a private key', 'trust:\n  receipts:\n    - { kty: OKP, crv: Ed25519, x: a, d: b }\n', 3, /private key/],
    ['a key in the open', 'key: "{}"\n', 1, /"key" must be a mapping that names an environment variable/],
    ['a key in the open, as a mapping', 'key: { kty: OKP, d: s3cret }\n', 1, /^(?!.*s3cret)/],
    ['a key that servers would be handed', 'key: { env: API_KEY }\n', 1, /beginning with HOLDPOINT_/],
    [
      'a missing policy',
      'server: a\npolicies:\n  - ask/v1\n  - nope.cedar\n',
      4,
      /cannot read the policy file nope\.cedar/,
    ],
    ['a misspelt shipped policy', 'policies: stric/v1\n', 1, /did you mean "strict\/v1"\?/],
    ['an empty list of policies', 'policies: []\n', 1, /list of them that is not empty/],
    ['a pattern without match', 'policies: "*.cedar"\n', 1, /no policy file matches \*\.cedar/],
  ]
  it.each(table)('%s is told with its line', (_what, yaml, line, says) => {
    const { message, at } = mistake(yaml)
    expect(message).toMatch(says)
    expect(at).toBe(`holdpoint.yaml:${line}`)
    expect(message).toMatch(new RegExp(`^holdpoint\\.yaml:${line}:\\d+: `))
    expect(message).not.toContain('\n')
  })

  it('names an alias bomb instead of eating the memory', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
    for (let level = 1; level < 9; level += 1) {
      const [here, below] = [level, level - 1].map((index) => String.fromCharCode(97 + index))
      bomb.push(`${here}: &${here} [${Array(9).fill(`*${below}`).join(',')}]`)
    }
    expect(mistake(`${bomb.join('\n')}\n`).message).toMatch(/^holdpoint\.yaml:2:8: aliases/)
  })

  it('is told for text that is not UTF-8 and for a file without bound', () => {
    expect(mistake(Uint8Array.of(0x73, 0xff, 0xfe)).message).toMatch(/not UTF-8/)
    expect(mistake(`# ${'x'.repeat(2 ** 20)}\n`).message).toMatch(/larger than 1 MiB/)
  })

  it('is told for an empty policy folder: there is always a policy', () => {
    mkdirSync(join(folder, 'policies'))
    expect(() => readConfig(folder)).toThrow(/no policy file matches policies\/\*\.cedar/)
  })
})

describe('a mistake in code', () => {
  it('is told with the nearest name', () => {
    expect(() => readConfig(folder, { timeout: 5 })).toThrow(
      /^createGate options: unknown key "timeout"; did you mean "timeoutMs"/,
    )
    expect(() => readConfig(folder, { failMode: { high: 'open' } })).toThrow(/can never be "open"/)
    expect(() => readConfig(folder, { policies: 'nope.cedar' })).toThrow(/^createGate options: cannot read/)
  })
})
