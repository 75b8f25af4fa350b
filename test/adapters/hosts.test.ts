/** The tables of hosts say what the drivers say; that the drivers are right is what every `conformance.test.ts` shows. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { BEHAVIOURS, NUMBERS } from '../support/behaviours.ts'
import { declared, guaranteesTable, manifest, pages, type ShownHost, withParts } from '../support/hosts-table.ts'
import { shownBy } from '../support/suite-results.ts'
import { HOLES } from './holes.ts'
import { driversOf, HOSTS } from './hosts.ts'

const root = path.resolve(import.meta.dirname, '../..')
const shown = await declared(HOSTS)

/** Peers that run no tools: a browser's library, a store's driver. */
const OTHER_PEERS = new Set(['pg', 'react'])

describe('the list of hosts', () => {
  it('has every adapter that is held to the seventeen behaviours, and its test takes its drivers from there', () => {
    const suites = readdirSync(import.meta.dirname, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => ({ name, file: path.join(import.meta.dirname, name, 'conformance.test.ts') }))
      .filter(({ file }) => existsSync(file) && readFileSync(file, 'utf8').includes('conformsAsAdapter'))
    expect(suites.map(({ name }) => name).sort()).toEqual(HOSTS.map(({ name }) => name).sort())
    for (const { name, file } of suites) expect(readFileSync(file, 'utf8')).toContain(`driversOf('${name}')`)
  })

  it('has an entry, a page and an example for each', () => {
    const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { exports: object }
    for (const { name, examples = [name] } of HOSTS) {
      expect(Object.keys(exports)).toContain(`./${name}`)
      for (const file of [`docs/${name}.md`, ...examples.map((example) => `examples/${example}/main.ts`)])
        expect(existsSync(path.join(root, file)), file).toBe(true)
    }
  })

  it('has every host among our peers, and what is installed is in the range that we say', () => {
    const { peerDependencies = {} } = manifest(root)
    const listed = HOSTS.flatMap(({ packages }) => packages)
    expect(listed.map(({ peer }) => peer).sort()).toEqual(
      Object.keys(peerDependencies)
        .filter((peer) => !OTHER_PEERS.has(peer))
        .sort(),
    )
    for (const { peer, installed } of listed) {
      for (const name of installed) {
        const { version } = manifest(path.join(root, 'node_modules', name))
        expect(isWithin(version, peerDependencies[peer] ?? ''), `${name} ${version}`).toBe(true)
      }
    }
  })

  it('has the same range where an adapter tells programmers which versions it knows, and on its page', () => {
    const { peerDependencies = {} } = manifest(root)
    for (const { name, packages } of HOSTS) {
      const folder = path.join(root, 'adapters', name)
      const sources = readdirSync(folder).map((file) => readFileSync(path.join(folder, file), 'utf8'))
      const told = sources.flatMap((text) => [...text.matchAll(/\{ name: '([^']+)', range: '([^']+)' \}/g)])
      for (const [, peer = '', range] of told) expect(range, `${name}: ${peer}`).toBe(peerDependencies[peer])
      const page = readFileSync(path.join(root, 'docs', `${name}.md`), 'utf8')
      const rows = [...page.matchAll(/^\| `([^`]+)` \| `(\^[^`]+)`/gm)].filter(([, peer]) =>
        packages.some((one) => one.peer === peer),
      )
      for (const [, peer = '', range] of rows) expect(range, `docs/${name}.md: ${peer}`).toBe(peerDependencies[peer])
    }
  })

  it('has drivers that differ by name', () => {
    const names = shown.flatMap(({ ways }) => ways.map(({ name }) => name))
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('the tables of hosts', () => {
  it.each([...pages(shown, HOSTS)])('in %s are as the drivers and the packages say: npm run hosts', (page, parts) => {
    const text = readFileSync(path.join(root, page), 'utf8')
    expect(text).toBe(withParts(text, parts))
  })

  it('have a row for each behaviour, with a reason under each that a host cannot have', () => {
    const table = guaranteesTable(shown)
    for (const number of NUMBERS) expect(table).toContain(`| ${number} | ${BEHAVIOURS[number].guarantee} | `)
    for (const { ways } of shown) {
      for (const { lacks } of ways) for (const reason of lacks.values()) expect(table).toContain(reason)
    }
  })

  it('show what failed, and what never ran, as failed', () => {
    const [first] = shown
    const way = first?.ways[0]
    if (first === undefined || way === undefined) throw new Error('no host')
    const results = (status: string, without?: number) => ({
      testResults: [
        {
          assertionResults: NUMBERS.filter((number) => number !== without).map((number) => ({
            ancestorTitles: [`${way.name} as a gated host`],
            title: `${number} does something`,
            status,
          })),
        },
      ],
    })
    const failedOf = (table: readonly ShownHost[]) => [...(table[0]?.ways[0]?.failed ?? [])]
    const only = [{ host: first.host, ways: [way] }]
    expect(failedOf(shownBy(results('passed'), only))).toEqual([])
    expect(failedOf(shownBy(results('passed', 7), only))).toEqual([7])
    expect(failedOf(shownBy(results('failed'), only))).toEqual(NUMBERS)
    expect(failedOf(shownBy(results('skipped'), only))).toEqual(NUMBERS)
    expect(guaranteesTable(shownBy(results('passed', 7), only))).toContain('**fails**')
  })
})

describe('the scripts of hosts', () => {
  const run = (...args: readonly string[]) => spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })

  it.each([
    [['scripts/compat.mjs', '--host', 'nowhere'], 'nowhere is no host; there are ai-sdk, '],
    [['scripts/hosts.mjs', '--write'], "hosts: Unknown option '--write'; see --help"],
  ])('answer %j with one line and exit 2, and install nothing', (args, words) => {
    const { status, stdout, stderr } = run(...args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(words)
    expect(stderr.trimEnd()).not.toContain('\n')
  })
})

describe('the known holes of the frameworks', () => {
  it.each(HOLES.map((hole) => [hole.host, hole.seen, hole.shownBy] as const))(
    'of %s: %s, has its test',
    async (host, _, shownBy) => {
      expect(HOSTS.map(({ name }) => name)).toContain(host)
      expect(shownBy).not.toEqual([])
      for (const shown of shownBy) {
        if ('behaviour' in shown) {
          const ways = (await driversOf(host)).filter(({ name }) => name.startsWith(shown.ways))
          expect(ways).not.toEqual([])
          for (const { lacks } of ways)
            expect(lacks?.[shown.behaviour], BEHAVIOURS[shown.behaviour].name).toBeUndefined()
          continue
        }
        const file = path.join(root, 'test/adapters', host, shown.file)
        expect(existsSync(file), file).toBe(true)
        // As a title stands in a source: of a call of `it`, and of none that is skipped.
        expect(titlesIn(readFileSync(file, 'utf8'))).toContain(shown.title)
      }
    },
  )
})

/** Ranges as package.json has them: `^1.2.3`, or some of these. */
function isWithin(version: string, range: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number)
  return range.split(' || ').some((one) => {
    const [, ...parts] = /^\^(\d+)\.(\d+)\.(\d+)$/.exec(one) ?? []
    if (parts.length !== 3) throw new Error(`${range} is no range that this test can read`)
    const [from = 0, fromMinor = 0, fromPatch = 0] = parts.map(Number)
    const isNewer = minor > fromMinor || (minor === fromMinor && patch >= fromPatch)
    // Below 1.0 a minor release may break, below 0.1 each.
    if (from === 0)
      return major === 0 && minor === fromMinor && patch >= fromPatch && (fromMinor > 0 || patch === fromPatch)
    return major === from && isNewer
  })
}

/** The titles of the calls of `it` in a source, as they are written; of none that is skipped. */
function titlesIn(source: string): readonly string[] {
  return [...source.matchAll(/\bit(?:\.each\([^\n]*\))?\(\s*(['"`])(.*?)\1,/g)].map(([, , title = '']) => title)
}
