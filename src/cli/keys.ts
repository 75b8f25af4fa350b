/** `holdpoint keys`: the public key that auditors trust. */
import { Command } from 'commander'
import type { CommandContext } from './context.ts'
import { ownKey } from './trust.ts'

export function keysCommand({ terminal }: CommandContext): Command {
  return new Command('keys')
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .addHelpText(
      'after',
      `\nPrints the public part of this machine's receipt key as a JWK set, which "holdpoint verify --keys" reads. Hand it over by
another way than the receipts: whoever could exchange both proves nothing.

Example:
  holdpoint keys > keys.json`,
    )
    .action(({ config }: { readonly config?: string }) => {
      const { publicJwk, kid } = ownKey(config)
      terminal.out(JSON.stringify({ keys: [publicJwk] }))
      terminal.note(`its thumbprint, to read out over the telephone: ${kid}`)
    })
}
