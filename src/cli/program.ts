/** The command line: which commands there are, and how any of them ends. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { visible } from '../bytes/visible.ts'
import { HoldpointError } from '../errors.ts'
import type { CommandContext } from './context.ts'
import { AnswerIsNo, type ExitCode, reasonOf, UnusableInput } from './exit.ts'
import type { Terminal } from './terminal.ts'

const ABOUT = `Checks every tool call of an LLM before it runs, and leaves signed receipts.

Exit codes: 0 good, 1 the answer is no, 2 unusable input (verify also: 3 valid, but an outcome is missing).`

interface Entry {
  readonly summary: string
  load(): Promise<(context: CommandContext) => Command>
}

/** Every command. Only the one that is asked for is loaded: policies and stores are heavy. */
const COMMANDS: ReadonlyMap<string, Entry> = new Map([
  [
    'demo',
    {
      summary: 'watch an agent work through the gate: permit, refusal, outage, replay, forged receipt',
      load: async () => (await import('./demo.ts')).demoCommand,
    },
  ],
  [
    'init',
    {
      summary: 'begin a holdpoint.yaml from the tools of an MCP server, a list or an AI SDK tool set',
      load: async () => (await import('./init.ts')).initCommand,
    },
  ],
  [
    'watch',
    {
      summary: 'show each call as it happens, and answer when one needs a person',
      load: async () => (await import('./watch.ts')).watchCommand,
    },
  ],
  [
    'approvals',
    {
      summary: 'list, show, approve and decline the calls that wait for a person',
      load: async () => (await import('./approvals.ts')).approvalsCommand,
    },
  ],
  [
    'mcp',
    {
      summary: 'stand between an MCP host and a server: over stdio or HTTP',
      load: async () => (await import('./mcp.ts')).mcpCommand,
    },
  ],
  [
    'hook',
    {
      summary: 'decide for a host that starts a program before each tool, such as Claude Code: JSON on stdin',
      load: async () => (await import('./hook.ts')).hookCommand,
    },
  ],
  [
    'wrap',
    {
      summary: 'put every MCP server of a host’s configuration behind holdpoint, and take it back',
      load: async () => (await import('./wrap.ts')).wrapCommand,
    },
  ],
  [
    'why',
    {
      summary: 'explain a decision: the last refusal, a receipt (r_…) or a reference (hp_…)',
      load: async () => (await import('./why.ts')).whyCommand,
    },
  ],
  [
    'check',
    {
      summary: 'decide one call against the policies; nothing is recorded, nothing runs',
      load: async () => (await import('./check.ts')).checkCommand,
    },
  ],
  [
    'classify',
    {
      summary: 'say what harm tools could do, and what says so: low, medium, high',
      load: async () => (await import('./classify.ts')).classifyCommand,
    },
  ],
  [
    'policy',
    {
      summary: 'policies: show what is in force, lint them against tools, test them by tables, replay recorded calls',
      load: async () => (await import('./policy.ts')).policyCommand,
    },
  ],
  [
    'override',
    {
      summary: 'let medium calls run while no policy answers: signed, scoped, counted, an hour at most',
      load: async () => (await import('./override.ts')).overrideCommand,
    },
  ],
  [
    'pins',
    {
      summary: 'review and accept what third parties’ tools have become since they were pinned',
      load: async () => (await import('./pins.ts')).pinsCommand,
    },
  ],
  [
    'coverage',
    {
      summary: 'list the tools that hosts showed the gates here: gated, ungated or unknown',
      load: async () => (await import('./coverage.ts')).coverageCommand,
    },
  ],
  [
    'verify',
    {
      summary: 'verify receipts: signatures, chain, and that every permit has its outcome',
      load: async () => (await import('./verify.ts')).verifyCommand,
    },
  ],
  [
    'trace',
    {
      summary: 'draw one conversation: its calls, what each had seen, what was decided and how it ended',
      load: async () => (await import('./trace.ts')).traceCommand,
    },
  ],
  [
    'export',
    {
      summary: 'write a bundle: receipts, proofs and the log’s checkpoint, for somebody else to verify',
      load: async () => (await import('./export.ts')).exportCommand,
    },
  ],
  [
    'keys',
    {
      summary: 'print the receipt key for whoever verifies; change to a new one, end the time of an old one',
      load: async () => (await import('./keys.ts')).keysCommand,
    },
  ],
  [
    'erase',
    {
      summary: 'forget, for good, what calls were about; their receipts stay and verify',
      load: async () => (await import('./erase.ts')).eraseCommand,
    },
  ],
  [
    'log',
    {
      summary: 'the transparency log over the receipts: its checkpoint, its key, and whether its every byte is right',
      load: async () => (await import('./log.ts')).logCommand,
    },
  ],
  [
    'doctor',
    {
      summary: 'look at this installation: configuration, policies, key, store, unprotected tools',
      load: async () => (await import('./doctor.ts')).doctorCommand,
    },
  ],
])

/**
 * Runs one command and says how it ended. Never throws: what goes wrong becomes one line on stderr and an exit code.
 *
 * @param argv arguments after the program's name
 */
export async function runCommand(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = 0
  const end = (with_: ExitCode): void => {
    code = with_
  }
  try {
    const program = await assemble(argv, { terminal, end })
    if (argv.length === 0) {
      terminal.note(program.helpInformation().trimEnd())
      return 2
    }
    await program.parseAsync(withThumbprints(argv), { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    terminal.note(`holdpoint: ${lineOf(error, argv[0])}`)
    return isNo(error) ? 1 : 2
  }
}

/** A log that cannot go on contradicts itself, its witnesses or its store: that is an answer, and the input was usable. */
function isNo(error: unknown): boolean {
  return error instanceof AnswerIsNo || (error instanceof HoldpointError && error.code === 'ERR_LOG')
}

/** A key's thumbprint may begin with "-", and is no option all the same: behind "--" it is taken as it is. */
function withThumbprints(argv: readonly string[]): readonly string[] {
  if (argv[0] !== 'keys' || argv.includes('--')) return argv
  const isThumbprint = (word: string): boolean => /^-[A-Za-z0-9_-]{42}$/.test(word)
  const found = argv.filter(isThumbprint)
  return found.length === 0 ? argv : [...argv.filter((word) => !isThumbprint(word)), '--', ...found]
}

/** The program with the named command in full, and the others as lines of its help. */
async function assemble(argv: readonly string[], context: CommandContext): Promise<Command> {
  const program = new Command('holdpoint').description(ABOUT).version(ownVersion(), '--version', 'print the version')
  for (const [name, { summary, load }] of COMMANDS) {
    const wanted = argv[0] === name || (argv[0] === 'help' && argv[1] === name)
    const command = wanted ? (await load())(context) : new Command(name)
    program.addCommand(command.description(summary))
  }
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => context.terminal.out(text.trimEnd()),
      writeErr: () => {},
    })
  }
  return program
}

/** Of `package.json`, as it stands beside `src/` and beside `dist/`. */
function ownVersion(): string {
  const file = import.meta.url.endsWith('.ts') ? '../../package.json' : '../../../package.json'
  const { version } = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as { readonly version: string }
  return version
}

function lineOf(error: unknown, command: string | undefined): string {
  const help = command !== undefined && COMMANDS.has(command) ? `holdpoint ${command} --help` : 'holdpoint --help'
  if (error instanceof CommanderError && error.code === 'commander.help') return `which of its commands? (see ${help})`
  const reason = visible(reasonOf(error).replace(/^error: /, ''))
  if (error instanceof CommanderError) return `${reason} (see ${help})`
  if (error instanceof HoldpointError || error instanceof UnusableInput || error instanceof AnswerIsNo) return reason
  return `unexpected: ${reason}`
}
