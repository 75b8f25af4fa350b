/** `holdpoint keys`: which keys sign receipts here, for whoever verifies them, and how one takes over from another. */
import { Command } from 'commander'
import type { CommandContext } from './context.ts'
import { listCommand } from './keys/list.ts'
import { retireCommand } from './keys/retire.ts'
import { rotateCommand } from './keys/rotate.ts'
import { showCommand } from './keys/show.ts'

export function keysCommand(context: CommandContext): Command {
  return new Command('keys')
    .addCommand(showCommand(context).description('print the public keys, as a JWK set; what "keys" alone does'), {
      isDefault: true,
    })
    .addCommand(listCommand(context).description('list the key that signs, and those before it'))
    .addCommand(rotateCommand(context).description('make a new key; the old one says so in a receipt that both sign'))
    .addCommand(retireCommand(context).description('say in a receipt that an earlier key signs no more'))
}
