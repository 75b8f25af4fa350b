import { Command } from 'commander'
import { type CommandContext, situationOf } from '../context.ts'
import { ownKey } from '../trust.ts'
import { formerKeys } from './former.ts'

export function showCommand({ terminal }: CommandContext): Command {
  return new Command('show')
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .addHelpText(
      'after',
      `\nPrints the public part of this machine's receipt key, and of those before it, which "holdpoint verify --keys" reads. Hand
it over by another way than the receipts: whoever could exchange both proves nothing.

Example:
  holdpoint keys > keys.json`,
    )
    .action(({ config }: { readonly config?: string }) => {
      const { publicJwk, kid } = ownKey(config)
      terminal.out(JSON.stringify({ keys: [publicJwk, ...formerKeys(situationOf(config).places.keyFile)] }))
      terminal.note(`its thumbprint, to read out over the telephone: ${kid}`)
    })
}
