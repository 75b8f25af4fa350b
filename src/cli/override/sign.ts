/** `holdpoint override sign`: another person's signature on an override. */
import { Command } from 'commander'
import { countersign, readOverride } from '../../override/signed.ts'
import { type CommandContext, homely, situationOf } from '../context.ts'
import { judge, readOverrideFile, replaceFile, stillNeeded, trustedHere } from './file.ts'
import { personsKey } from './key.ts'
import { overrideAsJson, tellOverride } from './tell.ts'

export function signCommand({ terminal }: CommandContext): Command {
  return new Command('sign')
    .argument('<FILE>', 'the override; "-" reads stdin and prints the result')
    .requiredOption('--key <FILE>', 'your private key (holdpoint override key)')
    .option('--config <FILE>', 'the holdpoint.yaml whose trust.override counts')
    .option('--json', 'print one JSON object about what was signed')
    .addHelpText(
      'after',
      `\nRead what you sign first: holdpoint override show FILE. The signature is added to the file.

Example:
  holdpoint override sign restock.override --key ~/keys/override.pem`,
    )
    .action(async (file: string, flags: { key: string; config?: string; json?: true }) => {
      const keys = trustedHere(situationOf(flags.config))
      const text = countersign((await readOverrideFile(file)).text, personsKey(flags.key))
      const signed = readOverride(text)
      if (file !== '-') replaceFile(file, `${text}\n`)
      else if (flags.json !== true) terminal.out(text)
      const at = Date.now()
      const judged = judge(signed, keys, { revoked: false, at })
      if (flags.json === true) {
        const written = file === '-' ? { override: JSON.parse(text) } : { file }
        terminal.out(JSON.stringify({ ...overrideAsJson(judged, keys), ...written }))
        return
      }
      if (file === '-') return
      tellOverride(judged, keys, terminal, at)
      terminal.note(
        stillNeeded(signed) ?? `signed; next, where the gates run: holdpoint override install ${homely(file)}`,
      )
    })
}
