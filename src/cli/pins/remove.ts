/** `holdpoint pins remove`: the next listing of this server is trusted as the first one was. */
import { Command } from 'commander'
import { type CommandContext, situationOf } from '../context.ts'
import { pinsHere } from './waiting.ts'

export function removeCommand({ terminal, end }: CommandContext): Command {
  return new Command('remove')
    .argument('<SERVER>', 'our own name of the server')
    .option('--config <FILE>', 'the holdpoint.yaml of the gates')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `\nAlso for pins that cannot be read. Gates that run now refuse the server's calls until they are started again; whoever lists its
tools next has them pinned. Exits 1 when nothing was pinned.

Example:
  holdpoint pins remove files`,
    )
    .action((server: string, flags: { config?: string; json?: true }) => {
      const removed = pinsHere(situationOf(flags.config)).remove(server)
      end(removed ? 0 : 1)
      if (flags.json === true) terminal.out(JSON.stringify({ server, removed }))
      else if (removed) terminal.out(`Forgot the pins of ${server}: its next listing is pinned anew`)
      else terminal.out(`Nothing was pinned of ${server}`)
    })
}
