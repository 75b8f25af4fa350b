import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { loadKey } from '../../receipt/key-file.ts'
import { type CommandContext, situationOf } from '../context.ts'
import { storeOf } from '../receipts.ts'
import { keyHere, shownKey } from '../trust.ts'
import { formerKeys } from './former.ts'
import { knownKeys } from './known.ts'
import { nextOf } from './next.ts'

export function listCommand({ terminal }: CommandContext): Command {
  return new Command('list')
    .option('--config <FILE>', 'the holdpoint.yaml of the gates')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  holdpoint keys list')
    .action(async (flags: { config?: string; json?: true }) => {
      const situation = situationOf(flags.config)
      const { places } = situation
      const own = keyHere(places)
      const retiredBy = places.store.kind === 'memory' ? undefined : (await knownKeys(storeOf(situation))).retiredBy
      const former = formerKeys(places.keyFile).map(({ kid, ...publicJwk }) => ({
        kid,
        publicJwk,
        retiredBy: retiredBy?.get(kid),
      }))
      const next = existsSync(nextOf(places.keyFile)) ? loadKey(nextOf(places.keyFile)).kid : undefined
      if (flags.json === true) {
        const signing = own === undefined ? null : { kid: own.kid, publicJwk: own.publicJwk }
        terminal.out(
          JSON.stringify({
            ...(places.keyEnv === undefined ? { keyFile: places.keyFile } : { keyEnv: places.keyEnv }),
            signing,
            former,
            ...(next === undefined ? {} : { next }),
          }),
        )
        return
      }
      terminal.out(own === undefined ? 'No key yet: it is made at the first call' : `${own.kid}  signs now, ${own.alg}`)
      for (const { kid, retiredBy } of former)
        terminal.out(`${kid}  ${retiredBy === undefined ? 'signed before, not retired' : `retired by ${retiredBy}`}`)
      if (next !== undefined)
        terminal.out(`${next}  signs nothing yet: a rotation was cut off; run "holdpoint keys rotate" again`)
      terminal.out(`  ${shownKey(places)}`)
    })
}
