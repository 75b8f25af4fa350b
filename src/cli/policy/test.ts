/** `holdpoint policy test`: do the policies answer as the tables say? */
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { visible } from '../../bytes/visible.ts'
import { type CommandContext, homely, type Situation, situationOf } from '../context.ts'
import { reasonOf, UnusableInput } from '../exit.ts'
import { type Terminal, wrap } from '../terminal.ts'
import { junitText, type TableResult } from './junit.ts'
import { knownTools, toolsOption } from './known-tools.ts'
import { runTable } from './run-table.ts'
import { readTable } from './table.ts'

const SUFFIX = '.test.yaml'

export function testCommand({ terminal, end }: CommandContext): Command {
  return new Command('test')
    .argument(
      '[FILES...]',
      `tables, or folders of *${SUFFIX}; without any, the folder policies beside the configuration`,
    )
    .addOption(toolsOption())
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--junit <FILE>', 'write the results as JUnit XML too')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExits 1 when an answer is not the expected one. The format stands in docs/policies.md.\n\nExample:\n  holdpoint policy test policies/',
    )
    .action(
      async (
        files: readonly string[],
        flags: { tools?: readonly string[]; config?: string; junit?: string; json?: true },
      ) => {
        const situation = situationOf(flags.config)
        const known = await knownTools(flags.tools ?? [], situation.config)
        const contracts = known.map((tool) => {
          if ('contract' in tool) return tool.contract
          throw new UnusableInput(`${tool.at}: the gate does not take this tool: ${tool.refused}`)
        })
        const tables = tableFiles(files, situation).map(
          (file): TableResult => ({ file: homely(file), cases: runTable(readTable(file), situation, contracts) }),
        )
        if (situation.config.options.points !== undefined)
          terminal.note('holdpoint: tables ask the policies alone; the services that "points" names are not asked')
        const failed = tables.flatMap(({ cases }) => cases).filter(({ problems }) => problems.length > 0).length
        if (flags.junit !== undefined) writeJunit(flags.junit, tables)
        if (flags.json === true) terminal.out(JSON.stringify({ tables, failed }))
        else tell(tables, terminal)
        end(failed === 0 ? 0 : 1)
      },
    )
}

function tableFiles(named: readonly string[], { config }: Situation): readonly string[] {
  const places = named.length === 0 ? [join(config.folder, 'policies')] : named
  const files = places.flatMap((place) => (isFolder(place) ? tablesIn(place) : named.length === 0 ? [] : [place]))
  if (files.length > 0) return files
  throw new UnusableInput(`there is no *${SUFFIX} in ${places.map(homely).join(', ')}`)
}

function tablesIn(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(SUFFIX))
  return names.sort().map((name) => join(folder, name))
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function writeJunit(file: string, tables: readonly TableResult[]): void {
  try {
    writeFileSync(file, junitText(tables))
  } catch (error) {
    throw new UnusableInput(`${file}: ${reasonOf(error)}`)
  }
}

/** A line for each table; what went wrong stands in full. */
function tell(tables: readonly TableResult[], { out, style, width }: Terminal): void {
  for (const { file, cases } of tables) {
    const failures = cases.filter(({ problems }) => problems.length > 0)
    const mark = failures.length === 0 ? style('green', '✓') : style('red', '✗')
    out(`${mark} ${visible(file)}  ${cases.length - failures.length} of ${cases.length}`)
    for (const { name, at, problems } of failures) {
      out(`  ${style('red', '✗')} ${style('bold', visible(name))}  ${style('dim', visible(at))}`)
      for (const problem of problems) out(`      ${wrap(visible(problem), width - 6, 6)}`)
    }
  }
  const all = tables.flatMap(({ cases }) => cases)
  const failed = all.filter(({ problems }) => problems.length > 0).length
  out(`${all.length - failed} as expected, ${failed} not`)
}
