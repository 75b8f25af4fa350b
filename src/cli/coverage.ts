/** `holdpoint coverage`: the tools that hosts showed the gates of this account, and which of them a gate stands in front of. */
import { Command } from 'commander'
import { counted } from '../bytes/counted.ts'
import { visible } from '../bytes/visible.ts'
import { readReceipt } from '../receipt/read.ts'
import { readCoverage } from '../store/coverage-files.ts'
import { hasStore } from '../store/sqlite-reader.ts'
import type { Standing } from '../types.ts'
import { type CommandContext, homely, type Situation, situationOf } from './context.ts'
import { type Line, merged } from './coverage-lines.ts'
import { UnusableInput } from './exit.ts'
import { readingAlong } from './progress.ts'
import { readerOf, toolOf } from './receipts.ts'
import type { Terminal } from './terminal.ts'
import { dateOf, whenOf } from './when.ts'

const STANDINGS: readonly Standing[] = ['unknown', 'ungated', 'gated']

export function coverageCommand({ terminal, end }: CommandContext): Command {
  return new Command('coverage')
    .option('--since <WHEN>', 'what was seen since then: an age (30d, 12h) or a date in UTC', '30d')
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
gated    every call passes the gate
ungated  it runs where no gate can stand, by your leave; each use has a receipt
unknown  it ran, or can run, without the gate having been asked

Exits 1 when a tool is unknown.

Examples:
  holdpoint coverage
  holdpoint coverage --since 1h --json`,
    )
    .action(async (flags: { since: string; config?: string; json?: true }) => {
      const since = whenOf(flags.since, Date.now())
      const situation = situationOf(flags.config)
      const { coverage: folder } = situation.places
      const { records, unusable } = await readCoverage(folder)
      if (unusable[0] !== undefined)
        throw new UnusableInput(`${unusable[0]} is not what a gate wrote: take it away, and the gate writes another`)
      const seen = merged(records.filter(({ at }) => at >= since))
      const uses = seen.some(({ standing }) => standing === 'ungated')
        ? await usesOf(situation, since, terminal)
        : NO_USES
      const lines = seen.map((line) => withUses(line, uses))
      end(lines.some(({ standing }) => standing === 'unknown') ? 1 : 0)
      if (flags.json === true)
        terminal.out(JSON.stringify({ folder, since: dateOf(since), tools: lines, ...countsOf(lines) }))
      else if (lines.length === 0) terminal.out(nothing(folder, since))
      else tell(lines, terminal)
    })
}

type Told = Line & { readonly uses?: number }

const NO_USES: ReadonlyMap<string, number> = new Map()

/** How often each tool was used where no gate stood, by the receipts of the configured store. */
async function usesOf(
  { places: { store } }: Situation,
  since: number,
  terminal: Terminal,
): Promise<ReadonlyMap<string, number>> {
  if (store.kind === 'memory' || (store.kind === 'folder' && !hasStore(store.folder))) return NO_USES
  const uses = new Map<string, number>()
  const reader = readerOf(store.kind === 'folder' ? store.folder : store)
  try {
    for await (const { kind, jws } of readingAlong(reader.receipts(), terminal)) {
      const claims = kind === 'decision' ? readReceipt(jws) : undefined
      if (claims?.kind !== 'decision' || claims.basis !== 'ungated' || claims.ts < since) continue
      uses.set(toolOf(claims), (uses.get(toolOf(claims)) ?? 0) + 1)
    }
  } finally {
    await reader.close()
  }
  return uses
}

function withUses(line: Line, uses: ReadonlyMap<string, number>): Told {
  return line.standing === 'ungated' ? { ...line, uses: uses.get(`${line.server}/${line.tool}`) ?? 0 } : line
}

function tell(lines: readonly Told[], terminal: Terminal): void {
  const longest = lines.reduce((most, line) => Math.max(most, nameOf(line).length), 0)
  for (const [host, shown] of Map.groupBy(lines, (line) => line.host)) {
    terminal.out(terminal.style('bold', visible(host)))
    for (const line of shown) terminal.out(`  ${lineOf(line, longest, terminal)}`)
  }
  const counts = countsOf(lines)
  terminal.out(
    `${counted(lines.length, 'tool')}: ${STANDINGS.toReversed()
      .map((one) => `${counts[one]} ${one}`)
      .join(', ')}`,
  )
  if (counts.unknown === 0) return
  terminal.out('Pass what is unknown to guardTools, with every other tool of its host, or take it away.')
  terminal.out('A tool that was mended is listed until --since leaves its last sight out.')
}

function lineOf(line: Told, longest: number, terminal: Terminal): string {
  const because = [
    ...(line.because === undefined ? [] : [visible(line.because)]),
    ...(line.uses === undefined ? [] : [`used ${counted(line.uses, 'time')}`]),
    ...(line.standing === 'unknown' ? [`seen ${dateOf(line.seenAt)}`] : []),
  ].join('; ')
  const standing = terminal.style(COLOURS[line.standing], line.standing.padEnd(7))
  return `${standing}  ${nameOf(line).padEnd(longest)}  ${because}`.trimEnd()
}

const COLOURS = { gated: 'green', ungated: 'yellow', unknown: 'red' } as const

function nameOf({ server, tool }: Line): string {
  return visible(`${server}/${tool}`)
}

function countsOf(lines: readonly Line[]): Readonly<Record<Standing, number>> {
  const count = (standing: Standing) => lines.filter((line) => line.standing === standing).length
  return { gated: count('gated'), ungated: count('ungated'), unknown: count('unknown') }
}

function nothing(folder: string, since: number): string {
  return `No host has shown a gate its tools since ${dateOf(since)} (${homely(folder)}).
Run your program once with guardTools around its tools, or a server behind holdpoint mcp, and look again.`
}
