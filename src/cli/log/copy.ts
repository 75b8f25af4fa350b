import { resolve } from 'node:path'
import { Command } from 'commander'
import { counted } from '../../bytes/counted.ts'
import { copyOf } from '../../log-keeper/place.ts'
import { type CommandContext, homely } from '../context.ts'
import { UnusableInput } from '../exit.ts'
import { setupOfStore } from './place.ts'

export function copyCommand({ terminal }: CommandContext): Command {
  return new Command('copy')
    .argument('<FOLDER>', 'where to; what is there already of this log is gone on with')
    .option('--config <FILE>', 'the holdpoint.yaml whose store it is')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nThe checkpoint and the tiles as plain files, for any static host (C2SP tlog-tiles): again and again, as the log grows.\n' +
        'Entries are payloads of receipts, which name tools and principals. Gates may go on meanwhile.\n\nExample:\n  holdpoint log copy /srv/www/log',
    )
    .action(async (folder: string, flags: { config?: string; json?: true }) => {
      const copied = await copyOf(setupOfStore(flags.config), resolve(folder))
      if (copied === undefined) throw new UnusableInput('nothing was logged yet: see holdpoint log checkpoint')
      const { origin, size, files } = copied
      if (flags.json === true) terminal.out(JSON.stringify({ folder: resolve(folder), ...copied }))
      else
        terminal.out(
          `${counted(size, 'leaf', 'leaves')} of ${origin} in ${homely(resolve(folder))}, ${counted(files, 'file')} written now`,
        )
    })
}
