/** `holdpoint export`: receipts with everything that somebody else needs to check them. */
import { Command } from 'commander'
import { counted } from '../bytes/counted.ts'
import { bundleLines } from '../verify.ts'
import { receiptsAt } from './bundle.ts'
import { type CommandContext, homely, situationOf } from './context.ts'
import { UnusableInput } from './exit.ts'
import { heldCheckpoints, logNow } from './export/checkpoints.ts'
import { contentOf, type Tally } from './export/content.ts'
import { writeLines } from './export/out.ts'
import { type Wanting, wantedOf } from './export/wanted.ts'
import { readInput } from './input.ts'
import { readerOf, type StoreAt, shown, storeOf } from './receipts.ts'
import { repeatable } from './repeatable.ts'
import type { Terminal } from './terminal.ts'
import { traceNamed } from './trace/named.ts'
import { whenOf } from './when.ts'

interface Flags {
  readonly trace?: string
  readonly since?: string
  readonly open?: true
  readonly result?: readonly string[]
  readonly held?: readonly string[]
  readonly checkpoint?: true
  readonly out?: string
  readonly store?: string
  readonly config?: string
  readonly json?: true
}

const PROGRESS_EVERY = 1_000

const HELP = `
A bundle holds receipts, their proofs and the log's checkpoint: enough to verify them anywhere, with keys that the reader has from
elsewhere. It holds no arguments unless --open is said. The log is brought up to date first; the whole of it is exported where
neither --trace nor --since says less.

Exits 1 when there is nothing to export, when the log does not continue what --held names, and when it contradicts its witnesses or
the store: that line is the finding.

Example:
  holdpoint export --out audit.holdpoint.jsonl
  holdpoint export --trace r_1x7q9fz0ma --open --out case-7.holdpoint.jsonl
  holdpoint export --checkpoint > checkpoint`

export function exportCommand({ terminal, end }: CommandContext): Command {
  return new Command('export')
    .option('--trace <ID>', 'the calls of one trace: its id, a receipt of it (r_…) or a reference (hp_…)')
    .option('--since <WHEN>', 'receipts from then on: a date, or an age such as 7d')
    .option('--open', 'open the requests: with arguments, in the clear')
    .option(
      '--result <ID=FILE>',
      'open the result of an outcome receipt with its text, which holdpoint does not keep',
      repeatable,
    )
    .option(
      '--held <FILE>',
      'a checkpoint that the reader has from before: show that this log continues it',
      repeatable,
    )
    .option('--checkpoint', 'print the log’s newest checkpoint and nothing else')
    .option('--out <FILE>', 'write to a new file (default: print)')
    .option('--store <FOLDER>', 'the store instead of the configured one')
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--json', 'with --out or --checkpoint: say what was written as one JSON object')
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      refuseMixed(flags)
      const situation = situationOf(flags.config)
      const folder = flags.store ?? storeOf(situation)
      const store = readerOf(folder)
      let now: Awaited<ReturnType<typeof logNow>>
      try {
        now = await logNow(folder, situation, terminal)
        if (now === undefined) {
          terminal.note(`There is no receipt in ${shown(folder)}.`)
          end(1)
          return
        }
        const { log, head, key } = now
        const { origin, size } = head
        if (flags.checkpoint === true) {
          if (flags.json === true) terminal.out(JSON.stringify({ origin, key, size, checkpoint: head.note }))
          else terminal.out(head.note.trimEnd())
          return
        }
        const wanting = await wantingOf(flags, folder, terminal)
        const wanted = wanting === undefined ? undefined : await wantedOf(store.receipts(), wanting)
        if (wanted?.size === 0) {
          terminal.note(`There is no such receipt in ${shown(folder)}.`)
          end(1)
          return
        }
        const tally: Tally = { receipts: 0, requests: 0, results: 0, gone: 0, long: 0, unlogged: 0 }
        const held = await heldCheckpoints(flags.held ?? [], now)
        const results = await resultsOf(flags.result ?? [])
        const terms = { log, store, head, wanted, open: flags.open === true, results, held }
        const scope = wanted === undefined ? 'log' : 'part'
        const content = progressing(contentOf(terms, tally), tally, terminal)
        await writeLines(bundleLines({ origin, scope, size }, content), flags.out, terminal)
        terminal.progress('')
        if (flags.json === true) terminal.out(JSON.stringify({ file: flags.out, origin, key, scope, size, ...tally }))
        else tell(tally, { origin, size, out: flags.out, open: flags.open === true }, terminal)
      } finally {
        await now?.log.close()
        await store.close()
      }
    })
}

function refuseMixed({ trace, since, open, result, held, checkpoint, out, json }: Flags): void {
  if (trace !== undefined && since !== undefined) throw new UnusableInput('say --trace or --since, not both')
  if (checkpoint === true) {
    const others = [trace, since, open, result, held, out].some((given) => given !== undefined)
    if (others) throw new UnusableInput('--checkpoint prints the checkpoint alone: leave the rest out')
    return
  }
  if (json === true && out === undefined) throw new UnusableInput('a bundle is JSON itself: --json goes with --out')
}

async function* progressing<T>(parts: AsyncIterable<T>, tally: Tally, { progress }: Terminal): AsyncGenerator<T> {
  for await (const part of parts) {
    if (tally.receipts % PROGRESS_EVERY === 0) progress(`${tally.receipts} receipts written`)
    yield part
  }
}

async function wantingOf(
  { trace, since, config }: Flags,
  path: StoreAt,
  terminal: Terminal,
): Promise<Wanting | undefined> {
  if (since !== undefined) return { since: whenOf(since, Date.now()) }
  if (trace === undefined) return undefined
  const found = await traceNamed(trace, { path, config, tokens: () => receiptsAt(path), terminal })
  // What names nothing selects nothing.
  return { trace: found ?? '' }
}

async function resultsOf(given: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const results = new Map<string, string>()
  for (const one of given) {
    const [, id, file] = /^(r_[0-9a-z]{26})=(.+)$/.exec(one) ?? []
    if (id === undefined || file === undefined) {
      throw new UnusableInput(`"${one}" is not the whole id of an outcome receipt, "=" and a file`)
    }
    results.set(id, new TextDecoder('utf-8', { ignoreBOM: true }).decode(await readInput(file)))
  }
  return results
}

function tell(
  { receipts, requests, results, gone, long, unlogged }: Tally,
  about: { readonly origin: string; readonly size: number; readonly out: string | undefined; readonly open: boolean },
  { note }: Terminal,
): void {
  const where = about.out === undefined ? '' : ` to ${homely(about.out)}`
  note(`${counted(receipts, 'receipt')} of ${about.origin} at ${counted(about.size, 'leaf', 'leaves')}${where}`)
  if (about.open || results > 0) {
    note(
      `  opened: ${counted(requests, 'request')}, ${counted(results, 'result')}${requests + results > 0 ? '; their text is in the clear' : ''}`,
    )
  }
  if (gone > 0) note(`  ${counted(gone, 'request')} stayed closed: not kept, or erased`)
  if (long > 0) note(`  ${counted(long, 'request')} stayed closed: longer than the 128 KiB of a line`)
  if (unlogged > 0) note(`  ${counted(unlogged, 'receipt')} left out: not in the log yet, export again in a second`)
}
