/** `holdpoint override list`: what is installed here, and how it stands. */
import { Command } from 'commander'
import { counted } from '../../bytes/counted.ts'
import { visible } from '../../bytes/visible.ts'
import { type CommandContext, homely, situationOf } from '../context.ts'
import type { Terminal } from '../terminal.ts'
import { misplaced, trustedHere } from './file.ts'
import { type Installed, installedHere } from './installed.ts'
import { isGood, overrideAsJson, tellOverride } from './tell.ts'

export function listCommand({ terminal }: CommandContext): Command {
  return new Command('list')
    .option('--config <FILE>', 'the holdpoint.yaml of the gates')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nUses are counted by the store of this configuration.\n\nExample:\n  holdpoint override list',
    )
    .action(async (flags: { config?: string; json?: true }) => {
      const situation = situationOf(flags.config)
      const keys = trustedHere(situation)
      const at = Date.now()
      const installed = await installedHere(situation, at)
      const { overrides, revoked, unreadable } = installed
      const folder = situation.places.overrides
      if (flags.json === true) {
        const told = overrides.map((one) => overrideAsJson(one, keys))
        terminal.out(JSON.stringify({ folder, trusted: keys.size, overrides: told, revoked, unreadable }))
        return
      }
      terminal.out(`${summary(installed)} in ${homely(folder)}; ${trust(keys.size)}`)
      for (const one of overrides) {
        terminal.out('')
        tellOverride(one, keys, terminal, at)
        const elsewhere = isGood(one) ? misplaced(one.signed.claims, situation) : undefined
        if (elsewhere !== undefined) terminal.note(elsewhere)
      }
      tellRest(installed, terminal)
    })
}

function summary({ overrides }: Installed): string {
  const live = overrides.filter((one) => one.standing.kind === 'live' && isGood(one)).length
  return `${counted(overrides.length, 'override')}, ${live} live,`
}

function trust(keys: number): string {
  if (keys === 0) return 'overrides are off: trust.override of holdpoint.yaml has no key'
  return `${counted(keys, 'key is', 'keys are')} trusted`
}

function tellRest({ revoked, unreadable }: Installed, { out }: Terminal): void {
  if (unreadable.length + revoked.length > 0) out('')
  for (const { id, because } of unreadable) out(`${id}  unusable: ${visible(because)}`)
  for (const id of revoked) out(`${id}  revoked, and not installed`)
}
