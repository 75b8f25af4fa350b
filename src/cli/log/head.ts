import { Command } from 'commander'
import { encodeBase64url } from '../../bytes/base64url.ts'
import { readNote } from '../../log/note.ts'
import { logReaderOf } from '../../log-keeper/place.ts'
import type { CommandContext } from '../context.ts'
import { UnusableInput } from '../exit.ts'
import { setupOfStore } from './place.ts'

export function headCommand({ terminal }: CommandContext): Command {
  return new Command('head')
    .option('--config <FILE>', 'the holdpoint.yaml whose store it is')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nThe checkpoint is printed as it stands, signatures and all; nothing of it is verified here.' +
        '\n\nExample:\n  holdpoint log head > checkpoint',
    )
    .action(async (flags: { config?: string; json?: true }) => {
      const log = logReaderOf(setupOfStore(flags.config))
      const head = await log.head().finally(() => log.close())
      if (head === undefined) throw new UnusableInput('nothing was logged yet: see holdpoint log checkpoint')
      const { origin, size, root, note } = head
      const signatures = readNote(note).signatures.map(({ name }) => name)
      if (flags.json === true)
        terminal.out(JSON.stringify({ origin, size, root: encodeBase64url(root), signatures, note }))
      else terminal.out(note.trimEnd())
    })
}
