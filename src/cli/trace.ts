/** `holdpoint trace`: what led to what, in one conversation. */
import { statSync } from 'node:fs'
import { Command } from 'commander'
import { traceOfConversation } from '../receipt/lineage.ts'
import { type CommandContext, homely, situationOf } from './context.ts'
import { UnusableInput } from './exit.ts'
import { readerOf, tokensAt } from './receipts.ts'
import type { Terminal } from './terminal.ts'
import { drawTrace } from './trace/draw.ts'
import { traceAsJson } from './trace/json.ts'
import { mermaidOf } from './trace/mermaid.ts'
import { readTrace, traceOf } from './trace/traced.ts'
import { ownKey } from './trust.ts'
import { findByReference, storeFolder } from './why.ts'

const TRACE_ID = /^[0-9a-f]{32}$/
const RECEIPT_ID = /^r_[0-9a-z]{4,26}$/
const PROGRESS_EVERY = 1_000

interface Flags {
  readonly conversation?: true
  readonly config?: string
  readonly mermaid?: true
  readonly json?: true
}

export function traceCommand({ terminal, end }: CommandContext): Command {
  return new Command('trace')
    .argument('<ID>', 'a receipt (r_…, its beginning is enough), a trace (32 hexadecimal digits) or a reference (hp_…)')
    .argument('[PATH]', 'an export or a store folder (default: the configured store)')
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
      const path = named ?? storeFolder(situationOf(flags.config))
      const tokens = () => counted(tokensAt(path), terminal)
      const trace = await traceNamed(id, { path, flags, tokens, terminal })
      const found = trace === undefined ? undefined : await readTrace(tokens(), trace)
      terminal.progress('')
      if (found === undefined || found.calls === 0) {
        terminal.note(`There is no trace ${found?.id ?? `of ${id}`} in ${homely(path)}.`)
        end(1)
        return
      }
      if (flags.json === true) terminal.out(JSON.stringify(traceAsJson(found)))
      else if (flags.mermaid === true) terminal.out(mermaidOf(found))
      else drawTrace(found, terminal)
    })
}

/** Which trace somebody means; `undefined` where nothing is known of what they named. */
async function traceNamed(
  id: string,
  about: {
    readonly path: string
    readonly flags: Flags
    readonly tokens: () => AsyncIterable<string>
    readonly terminal: Terminal
  },
): Promise<string | undefined> {
  const { path, flags, tokens, terminal } = about
  if (flags.conversation === true) return traceOfConversation(ownKey(flags.config), id)
  if (TRACE_ID.test(id)) return id
  if (id.startsWith('hp_')) return await traceBehind(id, path, terminal)
  if (!RECEIPT_ID.test(id)) {
    throw new UnusableInput(
      `"${id}" is no receipt (r_…), trace (32 hexadecimal digits) or reference (hp_…); with --conversation it can be a conversation`,
    )
  }
  const found = await traceOf(tokens, id)
  if (found === undefined || found.trace !== undefined) return found?.trace
  throw new UnusableInput(`${found.receipt} (${found.kind}) belongs to no trace`)
}

/** The trace of the call that waits, or waited, for a person. */
async function traceBehind(ref: string, path: string, terminal: Terminal): Promise<string | undefined> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UnusableInput(
      `references (hp_…) stand in a store, not in an export: name a receipt or a trace of ${path}`,
    )
  }
  const reader = readerOf(path)
  try {
    return (await findByReference(reader, ref, terminal))?.claims.trace
  } finally {
    await reader.close()
  }
}

async function* counted(tokens: AsyncIterable<string>, terminal: Terminal): AsyncGenerator<string> {
  let count = 0
  for await (const token of tokens) {
    count += 1
    if (count % PROGRESS_EVERY === 0) terminal.progress(`${count} receipts read`)
    yield token
  }
}
