import { Command } from 'commander'
import { loadOrCreateKey } from '../../receipt/key-file.ts'
import { type CommandContext, situationOf } from '../context.ts'
import { ownKey } from '../trust.ts'
import { formerKeys } from './former.ts'

export function showCommand({ terminal }: CommandContext): Command {
  return new Command('show')
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--approvals', 'the key that signs what people answered, which "holdpoint verify --approval-keys" reads')
    .addHelpText(
      'after',
      `\nPrints the public part of this machine's receipt key, and of those before it, which "holdpoint verify --keys" reads. Hand
it over by another way than the receipts: whoever could exchange both proves nothing.

Example:
  holdpoint keys > keys.json`,
    )
    .action(({ config, approvals }: { readonly config?: string; readonly approvals?: true }) => {
      if (approvals === true) {
        const { publicJwk, kid } = loadOrCreateKey(situationOf(config).places.approvalKeyFile)
        terminal.out(JSON.stringify({ keys: [publicJwk] }))
        terminal.note(`its thumbprint, to read out over the telephone: ${kid}`)
        return
      }
      const { publicJwk, kid } = ownKey(config)
      terminal.out(JSON.stringify({ keys: [publicJwk, ...formerKeys(situationOf(config).places.keyFile)] }))
      terminal.note(`its thumbprint, to read out over the telephone: ${kid}`)
    })
}
