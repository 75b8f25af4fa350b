import { Command } from 'commander'
import { moveDurably } from '../../files/durable.ts'
import { loadKey, loadOrCreateKey } from '../../receipt/key-file.ts'
import { type CommandContext, homely, situationOf } from '../context.ts'
import { UnusableInput } from '../exit.ts'
import { keepFormer } from './former.ts'
import { writeWith } from './writer.ts'

export function rotateCommand({ terminal }: CommandContext): Command {
  return new Command('rotate')
    .option('--config <FILE>', 'the holdpoint.yaml of the gates')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
The receipt that hands over is signed by both keys, so whoever trusts the old one can follow. Gates that run now go on with
the old key until they are started again; then end its time: holdpoint keys retire KID. The old private key is not kept.
Conversations and traces have other names under the new key: their ids are keyed hashes.

Example:
  holdpoint keys rotate`,
    )
    .action(async (flags: { config?: string; json?: true }) => {
      const situation = situationOf(flags.config)
      const { keyFile, keyEnv } = situation.places
      if (keyEnv !== undefined) {
        throw new UnusableInput(
          `the receipt key is in the environment variable ${keyEnv}, which no command can change: see "Keys" in docs/receipts.md`,
        )
      }
      const old = loadKey(keyFile)
      // Cut off behind any of these steps, the next run goes on with the same new key.
      const next = `${keyFile}.next`
      const fresh = loadOrCreateKey(next)
      const receipt = await writeWith(flags.config, (gate) => gate.addKey(fresh))
      keepFormer(keyFile, old.kid, old.publicJwk)
      moveDurably(next, keyFile)
      if (flags.json === true) {
        terminal.out(
          JSON.stringify({ keyFile, old: old.kid, new: fresh.kid, publicJwk: fresh.publicJwk, receipt: receipt.id }),
        )
        return
      }
      terminal.out(`${homely(keyFile)} is a new key, ${fresh.kid}`)
      terminal.out(`  both keys signed ${receipt.id}: whoever trusts the old one can follow`)
      terminal.out(JSON.stringify(fresh.publicJwk))
      terminal.note(
        `Put the line above into trust.receipts beside the old key, start the gates again, and then: holdpoint keys retire ${old.kid.startsWith('-') ? '-- ' : ''}${old.kid}`,
      )
    })
}
