/** `holdpoint policy lint`: do the policies fit the tools, and do they say what their author means? */
import { Command } from 'commander'
import { counted } from '../../bytes/counted.ts'
import { lineOf } from '../../bytes/place.ts'
import { visible } from '../../bytes/visible.ts'
import { classify } from '../../materiality/classify.ts'
import { absent, type Naming, namingsIn } from '../../policy/absent.ts'
import { createLinter } from '../../policy/lint.ts'
import { loadPolicies } from '../../policy/load.ts'
import { type Remark, reviewPolicies } from '../../policy/review.ts'
import { serverOf } from '../../policy/scope.ts'
import { type CommandContext, type Situation, situationOf } from '../context.ts'
import { type Terminal, wrap } from '../terminal.ts'
import { byServer, knownTools, toolsOption } from './known-tools.ts'

interface Linted {
  readonly remarks: readonly Remark[]
  readonly policies: number
  readonly tools: number
}

export function lintCommand({ terminal, end }: CommandContext): Command {
  return new Command('lint')
    .addOption(toolsOption())
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExits 1 when there is a mistake; advice alone exits 0. Without --tools, names and types of arguments are not checked.\n\nExample:\n  holdpoint policy lint --tools files=tools.json',
    )
    .action(async (flags: { tools?: readonly string[]; config?: string; json?: true }) => {
      const linted = await lint(situationOf(flags.config), flags.tools ?? [])
      if (flags.json === true) terminal.out(JSON.stringify(linted))
      else tell(linted, terminal)
      if (flags.tools === undefined && flags.json !== true)
        terminal.note('no tools were given (--tools), so names and types of arguments were not checked')
      end(linted.remarks.some(({ level }) => level === 'mistake') ? 1 : 0)
    })
}

async function lint({ config, policies: files }: Situation, toolFiles: readonly string[]): Promise<Linted> {
  const { policies } = loadPolicies(files)
  const listed = await knownTools(toolFiles, config)
  const taken = listed.flatMap((tool) => ('contract' in tool ? [tool] : []))
  const contracts = taken.map(({ contract }) => contract)
  const linter = createLinter(policies)
  const misfits = byServer(contracts).flatMap(({ server, definitions }) => linter(server, definitions))
  const reviewed = taken.map(({ at, contract }) => {
    return { id: contract.id, at, ...classify(contract, {}), schema: contract.definition.inputSchema }
  })
  const remarks: readonly Remark[] = [
    ...listed.flatMap((tool) => ('refused' in tool ? [refusal(tool.at, tool.refused)] : [])),
    ...misfits.map((misfit) => ({ level: 'mistake' as const, ...misfit })),
    ...absent(
      [...namingsOf(config), ...policies.flatMap(namingsIn)],
      contracts.map(({ id }) => id),
      config.server,
    ),
    ...reviewPolicies(policies, reviewed),
  ]
  return { remarks: inOrder(remarks), policies: policies.length, tools: contracts.length }
}

function refusal(at: string, message: string): Remark {
  return { level: 'mistake', at, message: `the gate does not take this tool: ${message}` }
}

/** The tools of which the configuration says something. */
function namingsOf({ words }: Situation['config']): readonly Naming[] {
  return [...words].map(([tool, { source }]) => ({ at: source, server: serverOf(tool), tool }))
}

/** Each remark once, the mistakes first; what several rules of one line share is said once. */
function inOrder(remarks: readonly Remark[]): readonly Remark[] {
  const once = new Map<string, Remark>()
  for (const one of remarks) {
    const key = `${lineOf(one.at)}\n${one.message}`
    if (!once.has(key)) once.set(key, one)
  }
  const all = [...once.values()]
  return [...all.filter(({ level }) => level === 'mistake'), ...all.filter(({ level }) => level === 'advice')]
}

function tell({ remarks, policies, tools }: Linted, { out, style, width }: Terminal): void {
  for (const { level, at, policy, message } of remarks) {
    out(`${style(level === 'mistake' ? 'red' : 'yellow', level)}  ${style('bold', visible(at))}`)
    const about = policy === undefined ? message : `${policy}: ${message}`
    out(`  ${wrap(visible(about), width - 2, 2)}`)
  }
  const mistakes = remarks.filter(({ level }) => level === 'mistake').length
  if (remarks.length > 0) out('')
  out(
    `${counted(policies, 'policy', 'policies')}, ${counted(tools, 'tool', 'tools')}: ${counted(mistakes, 'mistake', 'mistakes')}, ${remarks.length - mistakes} advice`,
  )
}
