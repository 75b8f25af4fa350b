/** `holdpoint override install`: from here on gates use it. */
import { Command } from 'commander'
import { installOverride } from '../../override/folder.ts'
import type { OverrideFile } from '../../override/live.ts'
import { readOverride } from '../../override/signed.ts'
import { type CommandContext, homely, situationOf } from '../context.ts'
import { judge, misplaced, readOverrideFile, trustedHere } from './file.ts'
import { revokedIn } from './installed.ts'
import { isGood, overrideAsJson, stateOf, tellOverride } from './tell.ts'

export function installCommand({ terminal, end }: CommandContext): Command {
  return new Command('install')
    .argument('<FILE>', 'the override; "-" reads stdin')
    .option('--config <FILE>', 'the holdpoint.yaml of the gates')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `\nRunning gates notice within a second. One that would not be used is not installed, and why is said: exit 1.

Example:
  holdpoint override install restock.override`,
    )
    .action(async (file: string, flags: { config?: string; json?: true }) => {
      const situation = situationOf(flags.config)
      const { text, signed } = await readOverrideFile(file)
      const keys = trustedHere(situation)
      const folder = situation.places.overrides
      const at = Date.now()
      const judged = judge(signed, keys, { revoked: (await revokedIn(situation)).has(signed.id), at })
      const fits = keys.size > 0 && isGood(judged)
      const isNew = fits && (await installOverride(folder, signed.id, text, (other) => isOver(other, at)))
      const elsewhere = misplaced(signed.claims, situation)
      end(fits ? 0 : 1)
      if (flags.json === true) {
        terminal.out(
          JSON.stringify({ ...overrideAsJson(judged, keys), installed: fits, new: isNew, folder, elsewhere }),
        )
        return
      }
      if (keys.size === 0) {
        terminal.out('Not installed: overrides are off, because trust.override of holdpoint.yaml has no key')
        return
      }
      if (!fits) {
        terminal.out(`Not installed: ${stateOf(judged, at)}`)
        return
      }
      terminal.out(`${isNew ? 'Installed' : 'It was installed already'} in ${homely(folder)}`)
      tellOverride(judged, keys, terminal, at)
      if (elsewhere !== undefined) terminal.note(elsewhere)
    })
}

function isOver(file: OverrideFile, at: number): boolean {
  try {
    return 'text' in file && readOverride(file.text).claims.expires <= at
  } catch {
    // Not an override: it is for a person to look at.
    return false
  }
}
