import { Command } from 'commander'
import { writeVerifierKey } from '../../log/verifier-key.ts'
import { logKeyOf } from '../../log-keeper/place.ts'
import type { CommandContext } from '../context.ts'
import { setupOf } from './place.ts'

export function keyCommand({ terminal }: CommandContext): Command {
  return new Command('key')
    .option('--config <FILE>', 'the holdpoint.yaml whose log it is')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nA C2SP verifier key. Witnesses are given it so that they know the log; auditors write it into the policy that\n' +
        'they verify with, as "log KEY".\n\nExample:\n  holdpoint log key',
    )
    .action(async (flags: { config?: string; json?: true }) => {
      const key = await logKeyOf(setupOf(flags.config))
      const written = writeVerifierKey(key)
      terminal.out(flags.json === true ? JSON.stringify({ origin: key.name, key: written }) : written)
    })
}
