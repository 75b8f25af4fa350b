/** `holdpoint wrap`: puts every server of an MCP host's configuration behind holdpoint, and takes it back. */
import { Command } from 'commander'
import type { CommandContext } from './context.ts'
import { UnusableInput } from './exit.ts'
import { repeatable } from './repeatable.ts'
import { readLauncher } from './wrap/launch.ts'
import { planOf } from './wrap/plan.ts'
import { readWhole, replaceWhole } from './wrap/replace-file.ts'
import { planAsJson, tellPlan } from './wrap/tell.ts'

interface Flags {
  readonly undo?: true
  readonly dryRun?: true
  readonly only?: readonly string[]
  readonly command?: string
  readonly json?: true
}

export function wrapCommand({ terminal }: CommandContext): Command {
  return new Command('wrap')
    .argument('<CONFIG>', 'the configuration of an MCP host, JSON: see docs/mcp-hosts.md for where it is')
    .option('--undo', 'take it back: the file becomes what it was')
    .option('--only <NAME>', 'this server alone, by its name in the file (repeatable)', repeatable)
    .option(
      '--command <COMMAND>',
      'what starts holdpoint (default: npx -y holdpoint); a JSON list where a word has blanks',
    )
    .option('--dry-run', 'say what would be done, and write nothing')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Each server that the host starts by a command is started by "holdpoint mcp --name NAME --" and that command. The rest of
the file stays as it is, comments too. A server that is reached over HTTP cannot be protected in this way: it is named,
with what to do. Exit 0 when every server that has a command is wrapped, whatever else is named.

Example:
  holdpoint wrap ~/.cursor/mcp.json
  holdpoint wrap ~/.cursor/mcp.json --undo
  holdpoint wrap .mcp.json --only files --dry-run`,
    )
    .action((file: string, flags: Flags) => {
      const read = readWhole(file)
      const { mark, text } = decoded(read.bytes, file)
      const undo = flags.undo === true
      const plan = planOf(text, file, {
        undo,
        launcher: readLauncher(flags.command),
        only: flags.only === undefined ? undefined : new Set(flags.only),
      })
      const wrote = flags.dryRun !== true && plan.text !== text
      if (wrote) replaceWhole(read, `${mark}${plan.text}`)
      if (flags.json === true) terminal.out(JSON.stringify(planAsJson(plan, read.path, wrote, undo)))
      else tellPlan(plan, { file, undo, dryRun: flags.dryRun === true, command: flags.command }, terminal)
    })
}

const BYTE_ORDER_MARK = '\ufeff'

/** A text that, written again, is the same bytes. */
function decoded(bytes: Uint8Array, file: string): { readonly mark: string; readonly text: string } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return text.startsWith(BYTE_ORDER_MARK) ? { mark: BYTE_ORDER_MARK, text: text.slice(1) } : { mark: '', text }
  } catch {
    throw new UnusableInput(`${file}: is not UTF-8`)
  }
}
