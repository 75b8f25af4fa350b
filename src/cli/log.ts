/** `holdpoint log`: the transparency log over the receipts of a store. */
import { Command } from 'commander'
import type { CommandContext } from './context.ts'
import { checkpointCommand } from './log/checkpoint.ts'
import { copyCommand } from './log/copy.ts'
import { fsckCommand } from './log/fsck.ts'
import { headCommand } from './log/head.ts'
import { keyCommand } from './log/key.ts'
import { rebuildCommand } from './log/rebuild.ts'

export function logCommand(context: CommandContext): Command {
  return new Command('log')
    .addCommand(headCommand(context).description('print the newest checkpoint, as auditors and witnesses read it'))
    .addCommand(keyCommand(context).description("print the log's public key, for witnesses and auditors"))
    .addCommand(checkpointCommand(context).description('log every receipt that is there now, and sign'))
    .addCommand(copyCommand(context).description('copy the files that auditors read, for a static host'))
    .addCommand(fsckCommand(context).description('read the whole log, and name the first byte that is wrong'))
    .addCommand(rebuildCommand(context).description('make the index anew out of the tiles, where log.db was lost'))
}
