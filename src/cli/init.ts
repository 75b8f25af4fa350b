/** `holdpoint init`: a `holdpoint.yaml` to begin with, out of the tools that there are. */

import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { counted } from '../bytes/counted.ts'
import { DEFAULT_SERVER, isServerName, SERVER_RULE } from '../bytes/names.ts'
import { visible } from '../bytes/visible.ts'
import { CONFIG_FILE } from '../config/read.ts'
import { MATERIALITIES } from '../types.ts'
import { type CommandContext, homely } from './context.ts'
import { reasonOf, UnusableInput } from './exit.ts'
import { exampleCall } from './init/example-call.ts'
import { type JudgedTool, judgeTools, type OfferedTool, writtenName } from './init/judged.ts'
import { askServer } from './init/mcp-server.ts'
import { configText, type Origin } from './init/text.ts'
import { readToolSet, toolSetPlace } from './init/tool-set.ts'
import type { Terminal } from './terminal.ts'
import { toolsIn, toolsOf } from './tool-lists.ts'

const DEADLINE_MS = 30_000
const TICK_MS = 1_000
/** So many fit in a configuration of 1 MiB, whatever they say of themselves. */
const MOST_TOOLS = 1_000

interface Flags {
  readonly tools?: string
  readonly server?: string
  readonly out?: string
  readonly stdout?: true
  readonly saveTools?: string
  readonly json?: true
}

/** The tools, and where they come from. */
interface Found {
  readonly tools: readonly OfferedTool[]
  readonly origin: Origin
}

export function initCommand({ terminal }: CommandContext): Command {
  return new Command('init')
    .argument('[SOURCE...]', 'FILE.ts#export for an AI SDK tool set, or after -- the command that starts an MCP server')
    .option('--tools <FILE>', 'tools: JSON lines, one MCP tool, or a tools/list answer; "-" reads stdin')
    .option('--server <NAME>', 'our own name of the server that the tools belong to')
    .option('--out <FILE>', `where to write (default: ${CONFIG_FILE})`)
    .option('--stdout', 'print it instead')
    .option('--save-tools <FILE>', 'also write the tools as listed, for "policy lint --tools"')
    .option('--json', 'print one JSON object about what was found and written')
    .addHelpText(
      'after',
      `\nNothing is overwritten, no tool is called and nothing is permitted. A server is started, asked for its tools and
ended; a module is imported, which runs its code. Both have ${DEADLINE_MS / 1_000} s.

Example:
  holdpoint init --save-tools tools.jsonl -- npx -y @modelcontextprotocol/server-memory
  holdpoint init src/tools.ts#tools
  holdpoint init --tools files.json --server files --stdout`,
    )
    .action(async (source: readonly string[], flags: Flags) => {
      const file = flags.stdout === true ? undefined : (flags.out ?? CONFIG_FILE)
      checkFlags(flags)
      for (const each of [file, flags.saveTools]) if (each !== undefined && existsSync(each)) throw taken(each)
      const { tools, origin } = await find(source, flags, terminal)
      if (tools.length === 0 && origin.ungated.length === 0)
        throw new UnusableInput(`there are no tools in ${origin.from}`)
      if (tools.length > MOST_TOOLS)
        throw new UnusableInput(`${tools.length} tools in ${origin.from}: one ${CONFIG_FILE} holds ${MOST_TOOLS}`)
      const judged = judgeTools(tools)
      const text = configText(judged, origin)
      const saved = flags.saveTools === undefined ? '' : tools.map(lineOf).join('')
      if (file !== undefined) writeNew(file, text)
      if (flags.saveTools !== undefined) writeNew(flags.saveTools, saved)
      if (flags.json === true) terminal.out(JSON.stringify(report(judged, origin, file, text)))
      else if (file === undefined) terminal.out(text.trimEnd())
      else tell(judged, tools, { ...flags, file }, terminal)
    })
}

function checkFlags({ server, out, stdout, saveTools }: Flags): void {
  if (server !== undefined && !isServerName(server))
    throw new UnusableInput(`--server "${server}": must be ${SERVER_RULE}`)
  if (out !== undefined && stdout === true) throw new UnusableInput('--out and --stdout: which of the two?')
  if (saveTools !== undefined && resolve(saveTools) === resolve(out ?? CONFIG_FILE))
    throw new UnusableInput(`--save-tools ${saveTools}: the configuration goes there`)
}

async function find(source: readonly string[], flags: Flags, terminal: Terminal): Promise<Found> {
  const [first] = source
  if (flags.tools !== undefined) {
    if (first !== undefined) throw new UnusableInput(`--tools and "${first}": which of the two?`)
    return listedIn(flags.tools, flags.server)
  }
  if (first === undefined)
    throw new UnusableInput('which tools? After -- a server’s command; or --tools FILE; or FILE.ts#export (see --help)')
  const place = source.length === 1 ? toolSetPlace(first) : undefined
  if (place !== undefined) {
    const { definitions, ungated } = await waiting(`importing ${first}`, terminal, readToolSet(place, DEADLINE_MS))
    const server = flags.server ?? DEFAULT_SERVER
    return {
      tools: definitions.map((definition) => ({ server, definition })),
      origin: { from: first, server: flags.server, ungated },
    }
  }
  if (source.length === 1 && /\.([cm]?[jt]s|jsonl?)$/.test(first))
    throw new UnusableInput(`"${first}": ${hintFor(first)}`)
  const answer = await waiting(`waiting for ${source.join(' ')}`, terminal, askServer(source, DEADLINE_MS))
  const server = flags.server ?? ownNameOf(answer.name)
  const tools = [...toolsOf({ tools: answer.tools }, 'the server')].map(({ definition }) => ({ server, definition }))
  return { tools, origin: { from: `the server that calls itself "${answer.name ?? ''}"`, server, ungated: [] } }
}

function hintFor(file: string): string {
  if (/jsonl?$/.test(file)) return `say --tools ${file}`
  return `name what it exports (${file}#tools), or say what starts it as a server (-- node ${file})`
}

async function listedIn(file: string, named: string | undefined): Promise<Found> {
  const tools = (await toolsIn(file)).map(({ server, definition }) => {
    const own = named ?? server ?? DEFAULT_SERVER
    return { server: isServerName(own) ? own : ownNameOf(own), definition }
  })
  const servers = new Set(tools.map(({ server }) => server))
  const [only] = servers
  return { tools, origin: { from: file, server: servers.size === 1 ? only : undefined, ungated: [] } }
}

const LONGEST_CLAIM = 200
const SAYS_NOTHING: ReadonlySet<string> = new Set(['mcp', 'server', 'servers'])

/** A name of ours that resembles what a server calls itself, and is never that of one's own tools. */
function ownNameOf(claimed: string | undefined): string {
  const words =
    (claimed ?? '')
      .slice(0, LONGEST_CLAIM)
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? []
  const telling = words.filter((word) => !SAYS_NOTHING.has(word))
  const name = telling.join('-').slice(0, 32).replace(/-$/, '')
  return name === '' || name === DEFAULT_SERVER ? 'server' : name
}

async function waiting<T>(what: string, { progress }: Terminal, work: Promise<T>): Promise<T> {
  const startedAt = performance.now()
  const show = (): void => progress(`${visible(what)}  ${Math.round((performance.now() - startedAt) / 1_000)} s`)
  show()
  const ticking = setInterval(show, TICK_MS)
  try {
    return await work
  } finally {
    clearInterval(ticking)
    progress('')
  }
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' })
  } catch (error) {
    if ((error as { readonly code?: string }).code === 'EEXIST') throw taken(file)
    throw new UnusableInput(`${file}: ${reasonOf(error)}`)
  }
}

function taken(file: string): UnusableInput {
  return new UnusableInput(
    `${file} exists and is not overwritten: move it away, or name another (--out, --save-tools). To add the tools of a second server to a configuration, print them with --stdout and copy what stands below "tools:"`,
  )
}

/** A tool as `policy lint --tools` reads it. */
function lineOf({ server, definition }: OfferedTool): string {
  const { origin: _origin, declared: _declared, ...tool } = definition
  try {
    return `${JSON.stringify({ server, tool })}\n`
  } catch (error) {
    throw new UnusableInput(`the tool "${definition.name}" cannot be saved: ${reasonOf(error)}`)
  }
}

function report(
  judged: readonly JudgedTool[],
  { from, ungated }: Origin,
  file: string | undefined,
  text: string,
): object {
  return {
    from,
    ...(file === undefined ? { yaml: text } : { written: file }),
    tools: judged.map(({ kind, description: _description, ...tool }) => ({ ...tool, taken: kind === 'judged' })),
    ungated,
  }
}

function tell(
  judged: readonly JudgedTool[],
  offered: readonly OfferedTool[],
  { file, saveTools }: Flags & { readonly file: string },
  terminal: Terminal,
): void {
  const { out, style } = terminal
  const taken_ = judged.flatMap((tool) => (tool.kind === 'judged' ? [tool] : []))
  const tiers = [...MATERIALITIES]
    .reverse()
    .map((tier) => `${taken_.filter(({ materiality }) => materiality === tier).length} ${tier}`)
  const undecided = taken_.filter((tool) => tool.undecided).length
  const refused = judged.length - taken_.length
  out(`${style('bold', visible(homely(file)))}  ${counted(judged.length, 'tool')}: ${tiers.join(', ')}`)
  if (undecided > 0)
    out(style('yellow', `Of ${undecided} the name does not say what it does: decide where the file says DECIDE`))
  if (refused > 0) out(style('red', `${refused} of them the gate does not take: the file says why`))
  out('')
  out('The file permits nothing yet. Without policies of yours ask/v1 decides: low runs, medium and high wait for')
  out('your yes. Read the file, then:')
  const list = visible(saveTools ?? 'FILE')
  out(`  npx holdpoint policy lint --tools ${list}`)
  const call = callOf(taken_, offered)
  if (call === undefined)
    out('  npx holdpoint check --help   # what would become of a call, and how one is written down')
  else out(`  echo '${call}' | npx holdpoint check --tools ${list}`)
  out('  npx holdpoint watch')
}

/** A call of the first tool, from the top of the file, of which the schema shows what it takes. */
function callOf(taken_: readonly JudgedTool[], offered: readonly OfferedTool[]): string | undefined {
  const byName = new Map(offered.map((tool) => [writtenName(tool.server, tool.definition.name), tool]))
  for (const { tool } of taken_) {
    const known = byName.get(tool)
    const call = known === undefined ? undefined : exampleCall(known)
    if (call !== undefined) return call
  }
  return undefined
}
