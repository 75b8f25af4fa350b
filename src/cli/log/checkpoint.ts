import { setTimeout as delay } from 'node:timers/promises'
import { Command } from 'commander'
import { counted } from '../../bytes/counted.ts'
import type { StepReport } from '../../log/sequencer.ts'
import { logReaderOf } from '../../log-keeper/place.ts'
import type { LogSetup } from '../../log-keeper/setup.ts'
import type { CommandContext } from '../context.ts'
import { readerOf, type StoreAt } from '../receipts.ts'
import { setupOfStore } from './place.ts'
import { stepped } from './stepped.ts'

/** How long a running gate may take to log what is there now, ms. */
const LONGEST_WAIT_MS = 15_000
const LOOK_EVERY_MS = 100

export function checkpointCommand({ terminal, end }: CommandContext): Command {
  return new Command('checkpoint')
    .option('--config <FILE>', 'the holdpoint.yaml whose store it is')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nWhere a running gate keeps the log, its next checkpoint is waited for. Exits 1 when too few witnesses have seen it, when the log\n' +
        'contradicts them, or when receipts that it has are gone from the store.' +
        '\n\nExample:\n  holdpoint log checkpoint',
    )
    .action(async (flags: { config?: string; json?: true }) => {
      const setup = setupOfStore(flags.config)
      const report = await stepped(setup)
      const made = report === undefined ? await awaited(setup) : madeHere(report)
      if (flags.json === true) terminal.out(JSON.stringify(made))
      else terminal.out(inWords(made))
      end(made.isCurrent && made.quorum !== 'missed' && (made.changed ?? []).length === 0 ? 0 : 1)
    })
}

/** How far the log is, and who made it so. */
interface Made {
  readonly by: 'this command' | 'a running gate'
  readonly size: number
  /** Receipts that were given a leaf. */
  readonly entered?: number
  /** Is every receipt that was there in it? */
  readonly isCurrent: boolean
  readonly quorum?: StepReport['quorum']
  /** Slots that are not what they were when the log read them. */
  readonly changed?: StepReport['changed']
  readonly witnesses?: StepReport['witnesses']
}

function madeHere({ entered, head, quorum, witnesses, changed }: StepReport): Made {
  return { by: 'this command', size: head?.size ?? 0, entered, isCurrent: true, quorum, witnesses, changed }
}

/** Waits until whoever keeps the log has as many leaves as there are receipts now. */
export async function awaited(setup: LogSetup): Promise<Made> {
  const { store } = setup
  const count = await receiptsIn(store.kind === 'folder' ? store.folder : store)
  const until = performance.now() + LONGEST_WAIT_MS
  const log = logReaderOf(setup)
  try {
    for (;;) {
      const size = (await log.head())?.size ?? 0
      if (size >= count || performance.now() >= until) return { by: 'a running gate', size, isCurrent: size >= count }
      await delay(LOOK_EVERY_MS)
    }
  } finally {
    await log.close()
  }
}

async function receiptsIn(at: StoreAt): Promise<number> {
  const reader = readerOf(at)
  try {
    let count = 0
    for await (const _ of reader.receipts()) count += 1
    return count
  } finally {
    await reader.close()
  }
}

function inWords({ by, size, entered, isCurrent, quorum, witnesses, changed }: Made): string {
  if (!isCurrent) return `${by} keeps the log, and has logged ${counted(size, 'receipt')}: not all that are there`
  const lines = [
    `${counted(size, 'receipt is', 'receipts are')} logged, ${entered === undefined ? `by ${by}` : `${entered} of them now`}`,
  ]
  for (const { name, result, why } of witnesses ?? []) lines.push(`  ${name}: ${why ?? result}`)
  for (const slot of changed ?? []) {
    lines.push(
      `  receipts-${slot}.db is gone, or not the file that it was: receipts that the log has were left out of it`,
    )
  }
  if (quorum === 'missed') lines.push('  too few witnesses have seen this checkpoint')
  return lines.join('\n')
}
