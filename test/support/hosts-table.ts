/** The tables of hosts, as README.md and docs/hosts.md have them between marks. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { HOLES } from '../adapters/holes.ts'
import type { Host } from '../adapters/hosts.ts'
import { BEHAVIOURS, type Behaviour, NUMBERS } from './behaviours.ts'

const root = path.resolve(import.meta.dirname, '../..')

/** One way of running tools, and what was shown of it. */
export interface Way {
  readonly name: string
  readonly showsPreviews: boolean
  readonly lacks: ReadonlyMap<Behaviour, string>
  /** Behaviours whose test did not pass. */
  readonly failed: ReadonlySet<Behaviour>
}

export interface ShownHost {
  readonly host: Host
  readonly ways: readonly Way[]
}

/** What the drivers say of themselves: the table as it is when every suite is green. */
export async function declared(hosts: readonly Host[]): Promise<readonly ShownHost[]> {
  return await Promise.all(
    hosts.map(async (host) => ({
      host,
      ways: (await host.drivers()).map(({ name, showsPreviews, lacks = {} }) => ({
        name,
        showsPreviews,
        lacks: new Map(NUMBERS.flatMap((number) => (lacks[number] === undefined ? [] : [[number, lacks[number]]]))),
        failed: new Set<Behaviour>(),
      })),
    })),
  )
}

/** README's table: guarantees by hosts, and under it what some host cannot have, and why. */
export function guaranteesTable(shown: readonly ShownHost[]): string {
  const notes: string[] = []
  const noted = (words: string): string => {
    if (!notes.includes(words)) notes.push(words)
    return `<sup>${notes.indexOf(words) + 1}</sup>`
  }
  const rows = NUMBERS.map((number) => {
    const cells = shown.map((one) => cellOf(one, number, noted))
    return `| ${number} | ${BEHAVIOURS[number].guarantee} | ${cells.join(' | ')} |`
  })
  return [
    `| | | ${shown.map(({ host }) => `[${host.title}](HOSTS/${host.name}.md)`).join(' | ')} |`,
    `|---|---|${shown.map(() => ':-:|').join('')}`,
    ...rows,
    ...(notes.length === 0 ? [] : ['', ...notes.map((note, index) => `${index + 1}. ${note}`)]),
  ].join('\n')
}

function cellOf({ host, ways }: ShownHost, number: Behaviour, noted: (words: string) => string): string {
  if (ways.some(({ failed }) => failed.has(number))) return '**fails**'
  const reasons = Map.groupBy(ways, ({ lacks }) => lacks.get(number))
  const marks = [...reasons].flatMap(([reason, without]) => {
    if (reason === undefined) return []
    const which = without.length === ways.length ? '' : ` (${without.map(({ name }) => name).join('; ')})`
    return [noted(`${host.title}${which}: ${reason}.`)]
  })
  const isPlain = number === 10 && ways.every(({ showsPreviews }) => !showsPreviews)
  if (isPlain && marks.length === 0) marks.push(noted('It shows no previews: what is shown is the last value.'))
  return `${reasons.has(undefined) ? '✓' : '–'}${marks.length === 0 ? '' : ` ${marks.join(' ')}`}`
}

/** Each way of running by itself: its name, and the seventeen by number. */
export function waysTable(shown: readonly ShownHost[]): string {
  return [
    `| host | way of running | ${NUMBERS.join(' | ')} |`,
    `|---|---|${NUMBERS.map(() => ':-:|').join('')}`,
    ...shown.flatMap(({ host, ways }) =>
      ways.map(({ name, lacks, failed }) => {
        const cells = NUMBERS.map((number) => (failed.has(number) ? '**fails**' : lacks.has(number) ? '–' : '✓'))
        return `| ${host.title} | ${name} | ${cells.join(' | ')} |`
      }),
    ),
  ].join('\n')
}

interface Manifest {
  readonly version: string
  readonly engines?: { readonly node?: string }
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
  readonly dependencies?: Readonly<Record<string, string>>
}

/** Which versions of a host, which Node and which zod: out of package.json, ours and the installed hosts'. */
export function versionsTable(hosts: readonly Host[]): string {
  const { peerDependencies: peers = {} } = manifest(root)
  const rows = hosts.flatMap((host) =>
    host.packages.map(({ peer, installed }) => {
      const found = installed.map((name) => manifest(path.join(root, 'node_modules', name)))
      const versions = found.map(({ version }) => version).join(', ')
      const nodes = found.map(({ engines }) => engines?.node ?? 'not said').join(', ')
      const range = (peers[peer] ?? 'is no peer of ours').replaceAll('|', '\\|')
      return `| \`holdpoint/${host.name}\` | \`${peer}\` | \`${range}\` | ${versions} | ${nodes} | ${zodOf(found)} |`
    }),
  )
  return [
    '| entry | package | versions | tried with | its Node | its zod |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

function zodOf(found: readonly Manifest[]): string {
  const words = found.map(({ peerDependencies, peerDependenciesMeta, dependencies }) => {
    const [peer, own] = [peerDependencies?.['zod'], dependencies?.['zod']]
    if (peer !== undefined) {
      const isOptional = peerDependenciesMeta?.['zod']?.optional === true
      return `\`${peer.replaceAll('|', '\\|')}\`, ${isOptional ? 'where you use it' : 'needed'}`
    }
    return own === undefined ? 'none' : `brings \`${own.replaceAll('|', '\\|')}\``
  })
  return [...new Set(words)].join('; ')
}

/** Ways past the frameworks' own hooks, and the tests that they are none past the gate. */
export function holesTable(): string {
  const rows = HOLES.map(({ host, seen, shownBy }) => {
    const tests = shownBy.map((shown) =>
      'behaviour' in shown
        ? `behaviour ${shown.behaviour}, ${BEHAVIOURS[shown.behaviour].guarantee}`
        : `\`${shown.file}\`: ${shown.title}`,
    )
    return `| \`${host}\` | ${seen} | ${tests.join('; ')} |`
  })
  return ['| host | seen without holdpoint | shown by |', '|---|---|---|', ...rows].join('\n')
}

export function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest
}

/** What stands where: the pages, and the parts of them that are made. */
export function pages(
  shown: readonly ShownHost[],
  hosts: readonly Host[],
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const guarantees = guaranteesTable(shown)
  return new Map([
    ['README.md', new Map([['guarantees', guarantees.replaceAll('(HOSTS/', '(docs/')]])],
    [
      'docs/hosts.md',
      new Map([
        ['guarantees', guarantees.replaceAll('(HOSTS/', '(')],
        ['ways', waysTable(shown)],
        ['versions', versionsTable(hosts)],
        ['holes', holesTable()],
      ]),
    ],
  ])
}

/** A page with these parts in the place of what stood between their marks. @throws Error where a mark is missing */
export function withParts(page: string, parts: ReadonlyMap<string, string>): string {
  let text = page
  for (const [name, part] of parts) {
    const [begin, end] = [`<!-- hosts:${name} -->`, `<!-- /hosts:${name} -->`]
    const [from, to] = [text.indexOf(begin), text.indexOf(end)]
    if (from < 0 || to < from) throw new Error(`the marks ${begin} and ${end} are missing`)
    text = `${text.slice(0, from + begin.length)}\n${part}\n${text.slice(to)}`
  }
  return text
}
