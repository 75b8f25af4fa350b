/** `holdpoint override show`: what would this let run, and would gates here use it? */
import { Command } from 'commander'
import { type CommandContext, situationOf } from '../context.ts'
import { judge, misplaced, readOverrideFile, trustedHere } from './file.ts'
import { revokedIn } from './installed.ts'
import { isGood, overrideAsJson, tellOverride } from './tell.ts'

export function showCommand({ terminal, end }: CommandContext): Command {
  return new Command('show')
    .argument('<FILE>', 'the override; "-" reads stdin')
    .option('--config <FILE>', 'the holdpoint.yaml whose trust.override counts')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExits 0 when its signatures are trusted here and it is neither over, revoked nor used up; else 1. That it is for another\nenvironment is said on stderr.\n\nExample:\n  holdpoint override show restock.override',
    )
    .action(async (file: string, flags: { config?: string; json?: true }) => {
      const situation = situationOf(flags.config)
      const { signed } = await readOverrideFile(file)
      const keys = trustedHere(situation)
      const at = Date.now()
      const judged = judge(signed, keys, { revoked: (await revokedIn(situation)).has(signed.id), at })
      const elsewhere = misplaced(signed.claims, situation)
      if (flags.json === true) terminal.out(JSON.stringify({ ...overrideAsJson(judged, keys), elsewhere }))
      else {
        tellOverride(judged, keys, terminal, at)
        if (elsewhere !== undefined) terminal.note(elsewhere)
      }
      end(isGood(judged) ? 0 : 1)
    })
}
