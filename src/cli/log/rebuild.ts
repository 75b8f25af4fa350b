import { Command } from 'commander'
import { counted } from '../../bytes/counted.ts'
import { logTerms } from '../../log-keeper/open.ts'
import { type Rebuilt, rebuildLog } from '../../store/log-rebuild.ts'
import type { CommandContext } from '../context.ts'
import { UnusableInput } from '../exit.ts'
import { setupOfStore } from './place.ts'

/** How long a running gate is waited for, ms: one that cannot go on holds the log for moments. */
const LONGEST_WAIT_MS = 5_000

export function rebuildCommand({ terminal }: CommandContext): Command {
  return new Command('rebuild')
    .option('--config <FILE>', 'the holdpoint.yaml whose store it is')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nFor a log.db that was lost, or is an older copy than the files beside it. It is made out of the entries, when every file is as it\n' +
        'should be, leads to the root that the checkpoint has signed, and every leaf is a receipt of the store; else nothing is changed, and\n' +
        'this exits 1. If the whole folder is an old copy, put the newest one back instead: only witnesses tell the two apart.' +
        '\n\nExample:\n  holdpoint log rebuild',
    )
    .action(async (flags: { config?: string; json?: true }) => {
      const setup = setupOfStore(flags.config)
      if (setup.store.kind !== 'folder')
        throw new UnusableInput('the index of this log is in PostgreSQL: restore the database to its newest moment')
      const made = await rebuildLog(
        setup.store.folder,
        { ...logTerms(setup), waitMs: LONGEST_WAIT_MS },
        terminal.progress,
      )
      terminal.out(flags.json === true ? JSON.stringify(made) : inWords(made))
      if (flags.json !== true && made.kind === 'rebuilt' && setup.witnesses === undefined)
        terminal.note('no witness can say whether this folder is the newest: if it was restored from a copy, stop here')
    })
}

function inWords(made: Rebuilt): string {
  if (made.kind === 'whole') return `${counted(made.size, 'leaf', 'leaves')}: the index has them all, and is as it was`
  const beyond = made.beyond === 0 ? '' : `, and ${made.beyond} that were written behind it`
  return `${counted(made.size, 'leaf', 'leaves')} of the signed checkpoint${beyond}: the index was made anew, each leaf a receipt of the store`
}
