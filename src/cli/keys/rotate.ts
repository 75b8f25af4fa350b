import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { moveDurably, removeDrafts } from '../../files/durable.ts'
import { loadKey, loadOrCreateKey } from '../../receipt/key-file.ts'
import { logFolder } from '../../store/log-lease.ts'
import type { Receipt, Signer } from '../../types.ts'
import { type CommandContext, homely, type Situation, situationOf } from '../context.ts'
import { reasonOf, UnusableInput } from '../exit.ts'
import { bringUpToDate } from '../log/current.ts'
import { setupOfStore } from '../log/place.ts'
import type { Terminal } from '../terminal.ts'
import { keepFormer } from './former.ts'
import { nextOf } from './next.ts'
import { refuseForgetful, writeWith } from './writer.ts'

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
A run that was cut off changed nothing for good: the next one goes on with the same new key.

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
      refuseForgetful(situation)
      const old = loadKey(keyFile)
      const fresh = loadOrCreateKey(nextOf(keyFile))
      const receipt = await handOver(flags.config, keyFile, old, fresh, () =>
        logHandover(situation, flags.config, terminal),
      )
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
        `Put the line above into trust.receipts beside the old key, start the gates again, and then: holdpoint keys retire ${old.kid}`,
      )
    })
}

/**
 * INVARIANT I6: each step is durable before the next begins, and each may be done again: first the receipt that both keys sign,
 * then the old public key where `verify` finds it, and only then the new key in the old one's place.
 *
 * @throws UnusableInput saying which key signs now, and what to do
 */
async function handOver(
  config: string | undefined,
  keyFile: string,
  old: Signer,
  fresh: Signer,
  log: () => Promise<void>,
): Promise<Receipt> {
  try {
    const receipt = await writeWith(config, (gate) => gate.addKey(fresh))
    await log()
    if (loadKey(keyFile).kid !== old.kid) throw new Error('another run has changed the key meanwhile')
    keepFormer(keyFile, old.kid, old.publicJwk)
    moveDurably(nextOf(keyFile), keyFile)
    removeDrafts(keyFile)
    return receipt
  } catch (cause) {
    const why = reasonOf(cause)
    const signing = loadKey(keyFile).kid
    if (signing === old.kid) {
      throw new UnusableInput(
        `${why}. The key is still ${old.kid}; run this again, and it goes on with the same new key`,
      )
    }
    throw new UnusableInput(`${why}. The key is ${signing} now: holdpoint keys list shows what came before it`)
  }
}

/**
 * A log that was begun has the handover before the new key signs anything. Where it cannot go on now, the key changes all the
 * same, because it may have to; then receipts are put in order by the times that they say.
 */
async function logHandover(situation: Situation, config: string | undefined, terminal: Terminal): Promise<void> {
  const { store } = situation.places
  const isKept =
    store.kind === 'folder' ? existsSync(logFolder(store.folder)) : situation.config.options.log !== undefined
  if (store.kind === 'memory' || !isKept) return
  try {
    await bringUpToDate(setupOfStore(config))
  } catch (error) {
    terminal.note(
      `the log could not be taken forward: ${reasonOf(error)}. Run holdpoint log checkpoint before gates are started again`,
    )
  }
}
