/** `holdpoint classify`: what harm could a wrong call of these tools do, and what says so? */
import { Command } from 'commander'
import { DEFAULT_SERVER } from '../bytes/names.ts'
import { visible } from '../bytes/visible.ts'
import { Contracts } from '../call/contract.ts'
import type { LoadedConfig } from '../config/read.ts'
import { classify } from '../materiality/classify.ts'
import { type Classification, type Contract, MATERIALITIES, type OperatorWord, type ToolDefinition } from '../types.ts'
import { type CommandContext, situationOf } from './context.ts'
import { reasonOf } from './exit.ts'
import { type Terminal, wrap } from './terminal.ts'
import { type ListedTool, toolsIn } from './tool-lists.ts'

/** A tool and its class; `refused` says why the gate would not take the tool at all. */
type Standing = Omit<Classification, 'surfaces'>

interface Classified extends Standing {
  readonly id: string
  readonly tool: string
  readonly refused?: string
}

const LONGEST_NAME = 128

export function classifyCommand({ terminal, end }: CommandContext): Command {
  return new Command('classify')
    .argument('<FILE...>', 'tools: JSON lines, one MCP tool, or a tools/list answer; "-" reads stdin')
    .option('--ignore-annotations', 'leave out what the server hints about its own tools')
    .option('--config <FILE>', "the holdpoint.yaml whose words on tools count (default: nobody's)")
    .option('--json', 'print one JSON object a line')
    .addHelpText(
      'after',
      '\nNothing is called. A tool that the gate would refuse to take counts as high, and says why.\n\nExample:\n  holdpoint classify tools.jsonl',
    )
    .action(async (files: readonly string[], flags: { ignoreAnnotations?: true; config?: string; json?: true }) => {
      const operator = flags.config === undefined ? NOBODY : situationOf(flags.config).config
      const counts = new Map<string, number>(MATERIALITIES.map((tier) => [tier, 0]))
      for (const file of files) {
        for (const listed of await toolsIn(file)) {
          const classified = judged(listed, operator, flags.ignoreAnnotations === true)
          counts.set(classified.materiality, (counts.get(classified.materiality) ?? 0) + 1)
          if (flags.json === true) terminal.out(JSON.stringify(classified))
          else tell(classified, terminal)
        }
      }
      if (flags.json !== true) terminal.out([...counts].map(([tier, count]) => `${count} ${tier}`).join(', '))
      end(0)
    })
}

/** Without a configuration, nobody has said anything. */
const NOBODY = { server: DEFAULT_SERVER, words: new Map<string, OperatorWord>() }

/** UNTRUSTED: the tool is a stranger's. Whatever it holds ends in a class. */
function judged(
  { id, server, definition }: ListedTool,
  operator: Pick<LoadedConfig, 'server' | 'words'>,
  ignoresAnnotations: boolean,
): Classified {
  const { annotations, ...plain } = definition
  const judgedBy: ToolDefinition = ignoresAnnotations ? plain : definition
  const { name } = definition
  const shown = { id: cut(id), tool: cut(name) }
  try {
    const word = operator.words.get(`${server ?? operator.server}/${name}`)
    const [contract] = new Contracts().register('tools', [judgedBy], new Map(word === undefined ? [] : [[name, word]]))
    if (contract !== undefined) return { ...shown, ...standingOf(contract) }
    return { ...shown, ...HIGH, refused: 'was not registered' }
  } catch (error) {
    return { ...shown, ...HIGH, refused: reasonOf(error) }
  }
}

/** Without a call there are no arguments that could touch anything else. */
function standingOf(contract: Contract): Standing {
  const { materiality, surface, evidence } = classify(contract, {})
  return { materiality, surface, evidence }
}

const HIGH: Standing = {
  materiality: 'high',
  surface: 'unknown',
  evidence: [{ source: 'default', argues: 'high', at: 'tool', because: 'the gate does not take this tool' }],
}

function cut(text: string): string {
  return text.length <= LONGEST_NAME ? text : `${text.slice(0, LONGEST_NAME)}…`
}

const TIER_WIDTH = 8
const SURFACE_WIDTH = 17

/** One line a tool, and what argues for its tier under it. */
function tell({ tool, materiality, surface, evidence, refused }: Classified, { out, style, width }: Terminal): void {
  const colour = materiality === 'high' ? 'red' : materiality === 'medium' ? 'yellow' : 'green'
  out(`${style(colour, materiality.padEnd(TIER_WIDTH))}${surface.padEnd(SURFACE_WIDTH)}${style('bold', visible(tool))}`)
  const reasons = refused === undefined ? evidence.filter(({ argues }) => argues === materiality) : []
  const because = refused ?? [...new Set(reasons.map((piece) => piece.because))].join('; ')
  const indent = TIER_WIDTH + SURFACE_WIDTH
  out(style('dim', `${' '.repeat(indent)}${wrap(visible(because), width - indent, indent)}`))
}
