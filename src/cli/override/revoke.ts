/** `holdpoint override revoke`: it ends now. */
import { Command } from 'commander'
import { revokeOverride } from '../../override/folder.ts'
import { type CommandContext, homely, situationOf } from '../context.ts'
import { UnusableInput } from '../exit.ts'
import { installedHere } from './installed.ts'

const ID = /^ov_[0-9a-z]{26}$/

export function revokeCommand({ terminal }: CommandContext): Command {
  return new Command('revoke')
    .argument('<ID>', 'the override, as "holdpoint override list" names it')
    .option('--because <TEXT>', 'why, for whoever looks into the folder', 'revoked')
    .option('--config <FILE>', 'the holdpoint.yaml of the gates')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `\nGates of this machine stop using it within a second, and it can never be installed here again. Calls that were permitted
before are not called back.

Example:
  holdpoint override revoke ov_01k5x7r8m2n4p6q8s0t2v4w6y8`,
    )
    .action(async (id: string, flags: { because: string; config?: string; json?: true }) => {
      if (!ID.test(id)) throw new UnusableInput(`${id} is not the id of an override, such as ov_… of "override list"`)
      const situation = situationOf(flags.config)
      const folder = situation.places.overrides
      await revokeOverride(folder, id, flags.because)
      const isInstalled = (await installedHere(situation, Date.now())).overrides.some((one) => one.signed.id === id)
      if (flags.json === true) terminal.out(JSON.stringify({ id, revoked: true, installed: isInstalled, folder }))
      else terminal.out(`Revoked ${id} in ${homely(folder)}${isInstalled ? '' : '; it was not installed there'}`)
    })
}
