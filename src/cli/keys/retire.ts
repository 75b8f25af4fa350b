import { Command } from 'commander'
import { counted } from '../../bytes/counted.ts'
import { type CommandContext, homely, situationOf } from '../context.ts'
import { UnusableInput } from '../exit.ts'
import { bringUpToDate } from '../log/current.ts'
import { setupOfStore } from '../log/place.ts'
import { storeOf } from '../receipts.ts'
import { ownKey } from '../trust.ts'
import { formerKeys } from './former.ts'
import { knownKeys } from './known.ts'
import { writeWith } from './writer.ts'

export function retireCommand({ terminal, end }: CommandContext): Command {
  return new Command('retire')
    .argument('<KID>', 'which key: its thumbprint, as "holdpoint keys list" shows it')
    .option('--anyway', 'also while streams of that key are not sealed')
    .option('--config <FILE>', 'the holdpoint.yaml of the gates')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
What that key signs behind this receipt counts for nothing to whoever verifies the log, so a stolen key dates nothing back.
The log is brought up to date first, so that what the key has signed so far comes before it; where it cannot go on, nothing is
retired.
Exits 1, and writes nothing, while gates may still sign with it.

Example:
  holdpoint keys retire 4F2rXk0h3b1mQ9wZ8n5c7v6b2a1s0d9f8g7h6j5k4l3`,
    )
    .action(async (kid: string, flags: { config?: string; anyway?: true; json?: true }) => {
      const situation = situationOf(flags.config)
      const { places } = situation
      const own = ownKey(flags.config)
      if (kid === own.kid)
        throw new UnusableInput('that is the key that signs now: make a new one first, with "holdpoint keys rotate"')
      if (!formerKeys(places.keyFile).some((former) => former.kid === kid))
        throw new UnusableInput(`no earlier key of ${homely(places.keyFile)} is "${kid}": see "holdpoint keys list"`)
      const known = places.store.kind === 'memory' ? undefined : await knownKeys(storeOf(situation))
      const open = (known?.openStreams ?? []).filter((stream) => stream.kid === kid)
      if (open.length > 0 && flags.anyway !== true) {
        end(1)
        if (flags.json === true) terminal.out(JSON.stringify({ retired: false, kid, open }))
        else {
          terminal.out(`Not retired: ${counted(open.length, 'stream')} of that key not sealed`)
          terminal.note('start the gates again that still sign with it; or, where none runs: --anyway')
        }
        return
      }
      // INVARIANT I6: what the key signed in its time comes before this receipt in the log, and that order is for good.
      if (places.store.kind !== 'memory') await bringUpToDate(setupOfStore(flags.config))
      const receipt = await writeWith(flags.config, (gate) => gate.retireKey(kid))
      if (flags.json === true) terminal.out(JSON.stringify({ retired: true, kid, receipt: receipt.id }))
      else terminal.out(`Retired by ${receipt.id}: what ${kid} signs from here on counts for nothing in the log`)
    })
}
