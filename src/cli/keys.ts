/** `holdpoint keys`: which keys sign receipts here, for whoever verifies them, and how one takes over from another. */
import { Command } from 'commander'
import { type CommandContext, situationOf } from './context.ts'
import { formerKeys } from './keys/former.ts'
import { listCommand } from './keys/list.ts'
import { retireCommand } from './keys/retire.ts'
import { rotateCommand } from './keys/rotate.ts'
import { ownKey } from './trust.ts'

export function keysCommand(context: CommandContext): Command {
  const { terminal } = context
  return new Command('keys')
    .enablePositionalOptions()
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .addHelpText(
      'after',
      `\nAlone it prints the public part of this machine's receipt key, and of those before it, as a JWK set, which
"holdpoint verify --keys" reads. Hand it over by another way than the receipts: whoever could exchange both proves nothing.

Example:
  holdpoint keys > keys.json
  holdpoint keys rotate`,
    )
    .action(({ config }: { readonly config?: string }) => {
      const { publicJwk, kid } = ownKey(config)
      terminal.out(JSON.stringify({ keys: [publicJwk, ...formerKeys(situationOf(config).places.keyFile)] }))
      terminal.note(`its thumbprint, to read out over the telephone: ${kid}`)
    })
    .addCommand(listCommand(context).description('list the key that signs, and those before it'))
    .addCommand(rotateCommand(context).description('make a new key; the old one says so in a receipt that both sign'))
    .addCommand(retireCommand(context).description('say in a receipt that an earlier key signs no more'))
}
