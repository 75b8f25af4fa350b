/** `holdpoint trace`: what led to what, in one conversation. */
import { Command } from 'commander'
import { receiptsAt } from './bundle.ts'
import { type CommandContext, situationOf } from './context.ts'
import { UnusableInput } from './exit.ts'
import { readingAlong } from './progress.ts'
import { shown, storeOf } from './receipts.ts'
import { drawTrace } from './trace/draw.ts'
import { traceAsJson } from './trace/json.ts'
import { mermaidOf } from './trace/mermaid.ts'
import { traceNamed } from './trace/named.ts'
import { readTrace } from './trace/traced.ts'

interface Flags {
  readonly conversation?: true
  readonly config?: string
  readonly mermaid?: true
  readonly json?: true
}

export function traceCommand({ terminal, end }: CommandContext): Command {
  return new Command('trace')
    .argument('<ID>', 'a receipt (r_…, its beginning is enough), a trace (32 hexadecimal digits) or a reference (hp_…)')
    .argument('[PATH]', 'a bundle, an export or a store folder (default: the configured store)')
    .option('--conversation', 'the ID is a conversation, as this machine’s gates were told it')
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--mermaid', 'print a Mermaid flowchart')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nShows what receipts say and verifies none of them: that is "holdpoint verify". Exits 1 when there is no such trace.' +
        '\n\nExample:\n  holdpoint trace r_1x7q9fz0ma\n  holdpoint trace r_1x7q9fz0ma audit.holdpoint.jsonl --mermaid',
    )
    .action(async (id: string, named: string | undefined, flags: Flags) => {
      if (flags.mermaid === true && flags.json === true) throw new UnusableInput('say --mermaid or --json, not both')
      const path = named ?? storeOf(situationOf(flags.config))
      const tokens = () => readingAlong(receiptsAt(path), terminal)
      const trace = await traceNamed(id, {
        path,
        conversation: flags.conversation === true,
        config: flags.config,
        tokens,
        terminal,
      })
      const found = trace === undefined ? undefined : await readTrace(tokens(), trace)
      terminal.progress('')
      if (found === undefined || found.calls === 0) {
        terminal.note(`There is no trace ${found?.id ?? `of ${id}`} in ${shown(path)}.`)
        end(1)
        return
      }
      if (flags.json === true) terminal.out(JSON.stringify(traceAsJson(found)))
      else if (flags.mermaid === true) terminal.out(mermaidOf(found))
      else drawTrace(found, terminal)
    })
}
