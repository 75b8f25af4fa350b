import { Command } from 'commander'
import { counted } from '../../bytes/counted.ts'
import { examine } from '../../log-keeper/place.ts'
import type { LogExamination } from '../../store/log-fsck.ts'
import type { CommandContext } from '../context.ts'
import { setupOfStore } from './place.ts'

export function fsckCommand({ terminal, end }: CommandContext): Command {
  return new Command('fsck')
    .option('--config <FILE>', 'the holdpoint.yaml whose store it is')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nWrites every tile once more out of the entries, and compares; follows every checkpoint that was signed; looks for each\n' +
        'receipt in the store. Exits 1 when something is wrong. Nothing is changed.\n\nExample:\n  holdpoint log fsck',
    )
    .action(async (flags: { config?: string; json?: true }) => {
      const found = await examine(setupOfStore(flags.config))
      terminal.out(flags.json === true ? JSON.stringify(found) : inWords(found))
      end(found.kind === 'wrong' ? 1 : 0)
    })
}

const INDEX = {
  examined: 'every file, every checkpoint and every receipt is as it should be',
  in_use: 'every file is as it should be; a running gate has the index, so that was not examined',
  out_of_reach: 'every file is as it should be; the index cannot be opened here, so that was not examined',
} as const

function inWords(found: LogExamination): string {
  switch (found.kind) {
    case 'none':
      return 'nothing was logged yet'
    case 'whole':
      return `${counted(found.size, 'leaf', 'leaves')}: ${INDEX[found.index]}`
    case 'wrong':
      return `${found.path}${found.byte === undefined ? '' : `, byte ${found.byte}`}: ${found.why}`
  }
}
