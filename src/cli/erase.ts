/** `holdpoint erase`: forget, for good, what calls were about. Their receipts stay. */
import { Command } from 'commander'
import { counted } from '../bytes/counted.ts'
import type { ReceiptClaims } from '../receipt/claims.ts'
import { readReceipt } from '../receipt/read.ts'
import { type Erased, eraseCalls, type Forgetting } from '../store/sqlite-eraser.ts'
import { type CommandContext, homely, situationOf } from './context.ts'
import { type Selectors, selectionOf } from './erase/selection.ts'
import { UnusableInput } from './exit.ts'
import { formerKeys } from './keys/former.ts'
import { readerOf, storeOf } from './receipts.ts'
import type { Terminal } from './terminal.ts'

interface Flags extends Selectors {
  readonly store?: string
  readonly yes?: true
  readonly json?: true
}

const HELP = `
Erases requests with their arguments, the salts that open commitments, and questions that people were asked. Receipts are not
touched: everything still verifies, and nobody can open what is gone. Gates may go on meanwhile.

It cannot reach copies elsewhere: backups and snapshots, bundles that were exported with --open, spare blocks of the disk, and what
hosts, tools and models have written down themselves. Receipts name tools, people, times and sizes, and stay.

Exits 1 where --yes was not given, and when not all of it is gone yet.

Example:
  holdpoint erase --before 90d
  holdpoint erase r_1x7q9fz0ma --yes
  holdpoint erase --conversation thread-7 --yes`

/** A conversation's name in receipts is a keyed hash, and the private part of an earlier key is gone. */
const OTHER_NAMES =
  'Calls from before the receipt key was changed name their conversation otherwise, and are not found by it: name them by receipt, by trace or with --before.'

export function eraseCommand({ terminal, end }: CommandContext): Command {
  return new Command('erase')
    .argument('[ID...]', 'receipts (r_…, the beginning is enough) and traces (32 hexadecimal digits)')
    .option('--before <WHEN>', 'calls that were decided before then: a date, or an age such as 90d')
    .option('--conversation <ID>', 'the calls of a conversation, as this machine’s gates were told it')
    .option('--yes', 'erase; without it is only said what would be erased')
    .option('--store <FOLDER>', 'the store instead of the configured one')
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--json', 'print one JSON object')
    .addHelpText('after', HELP)
    .action(async (ids: readonly string[], flags: Flags) => {
      const folder = flags.store ?? storeOf(situationOf(flags.config))
      if (typeof folder !== 'string') {
        throw new UnusableInput(
          'this command erases in folders alone: see "Erasing" in docs/postgres.md for what is kept in PostgreSQL',
        )
      }
      const selection = await selectionOf(ids, flags, async function* () {
        const reader = readerOf(folder)
        try {
          for await (const receipt of reader.receipts()) yield receipt
        } finally {
          await reader.close()
        }
      })
      if (selection.unknown.length > 0) {
        terminal.note(`There is no decision ${selection.unknown.join(', ')} in ${homely(folder)}. Nothing was erased.`)
        end(1)
        return
      }
      if (flags.conversation !== undefined && formerKeys(situationOf(flags.config).places.keyFile).length > 0)
        terminal.note(OTHER_NAMES)
      const erased = eraseCalls(folder, forgettingOf(selection), { look: flags.yes !== true })
      if (flags.json === true) terminal.out(JSON.stringify({ store: folder, erased: flags.yes === true, ...erased }))
      else tell(erased, { folder, isLook: flags.yes !== true }, terminal)
      end(flags.yes === true && erased.unsettled.length === 0 ? 0 : 1)
    })
}

function forgettingOf({ decision, question }: Awaited<ReturnType<typeof selectionOf>>): Forgetting {
  return {
    decision: (receipt) => {
      const claims = claimsOf(receipt.jws)
      if (claims?.kind !== 'decision' || !decision(receipt, claims)) return undefined
      return claims.approval === undefined ? {} : { approval: claims.approval.ref }
    },
    question,
  }
}

/** What cannot be read says nothing of whose it is, and is left alone. */
function claimsOf(jws: string): ReceiptClaims | undefined {
  try {
    return readReceipt(jws)
  } catch {
    return undefined
  }
}

function tell(erased: Erased, about: { readonly folder: string; readonly isLook: boolean }, terminal: Terminal): void {
  const { out, style } = terminal
  const { requests, questions, claims, running, unsettled, inUse } = erased
  if (requests + questions + claims + running === 0) {
    out(`There is nothing to erase in ${homely(about.folder)}.`)
    return
  }
  const what = [
    counted(requests, 'request with its arguments', 'requests with their arguments'),
    counted(questions, 'question to a person', 'questions to people'),
    `what was remembered of the arguments of ${counted(claims, 'call')}`,
  ].join(', ')
  if (about.isLook) {
    out(`Would be erased from ${homely(about.folder)}: ${what}`)
    out('Nothing was erased: say --yes to erase it for good')
  } else {
    out(`${style('bold', 'Erased for good')} from ${homely(about.folder)}: ${what}`)
    out('  Receipts are as they were, and verify. Not reached: backups, snapshots, exports, spare blocks of the disk.')
  }
  if (running > 0) {
    out(
      `  ${counted(running, 'call is', 'calls are')} still under way: erase again when ${running === 1 ? 'it has' : 'they have'} ended`,
    )
  }
  if (inUse.length > 0) {
    const files = `${inUse.join(', ')}: in use by a gate, so overwritten in place; erase again after it has ended to have`
    out(style('dim', `  ${files} ${inUse.length === 1 ? 'it' : 'them'} written anew`))
  }
  if (unsettled.length > 0) {
    out(
      style(
        'yellow',
        `  ${unsettled.join(', ')}: somebody reads along, so the old text is still in the file: erase again`,
      ),
    )
  }
}
