/** `holdpoint pins`: what third parties' tools must be, and what of them waits for a person. */
import { Command } from 'commander'
import type { CommandContext } from './context.ts'
import { acceptCommand } from './pins/accept.ts'
import { listCommand } from './pins/list.ts'
import { removeCommand } from './pins/remove.ts'
import { reviewCommand } from './pins/review.ts'

export function pinsCommand(context: CommandContext): Command {
  return new Command('pins')
    .addCommand(listCommand(context).description('list the servers whose tools are pinned here'))
    .addCommand(reviewCommand(context).description('show what servers list now that is not as it was pinned'))
    .addCommand(acceptCommand(context).description('let tools be called as they are listed now'))
    .addCommand(removeCommand(context).description("forget a server's pins: its next listing is pinned anew"))
}
