/** `holdpoint pins list`: the servers whose tools are pinned here, and how they stand. */
import { Command } from 'commander'
import { counted } from '../../bytes/counted.ts'
import { visible } from '../../bytes/visible.ts'
import { type CommandContext, homely, type Situation, situationOf } from '../context.ts'
import { reasonOf } from '../exit.ts'
import { pinsHere, type Review, reviewOf } from './waiting.ts'

type Listed = { readonly server: string } & ({ readonly review: Review } | { readonly unusable: string })

export function listCommand({ terminal, end }: CommandContext): Command {
  return new Command('list')
    .option('--config <FILE>', 'the holdpoint.yaml whose words on tools count')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `\nExits 1 when the pins of a server cannot be relied on: its calls are refused then.

Example:
  holdpoint pins list`,
    )
    .action((flags: { config?: string; json?: true }) => {
      const situation = situationOf(flags.config)
      const folder = situation.places.pins
      const listed = pinsHere(situation)
        .servers()
        .map((server) => listedOf(situation, server))
      end(listed.some((one) => 'unusable' in one) ? 1 : 0)
      if (flags.json === true) {
        terminal.out(JSON.stringify({ folder, servers: listed.map(asJson) }))
        return
      }
      terminal.out(`${counted(listed.length, 'server')} pinned in ${homely(folder)}`)
      for (const one of listed) terminal.out(lineOf(one))
    })
}

function listedOf(situation: Situation, server: string): Listed {
  try {
    return { server, review: reviewOf(situation, server) }
  } catch (error) {
    return { server, unusable: reasonOf(error) }
  }
}

function asJson(listed: Listed): object {
  const { server } = listed
  if ('unusable' in listed) return { server, unusable: listed.unusable }
  const { record, waiting } = listed.review
  return { server, pinnedAt: record.recordedAt, tools: record.tools.size, waiting: waiting.map(({ tool }) => tool) }
}

function lineOf(listed: Listed): string {
  const { server } = listed
  if ('unusable' in listed) return `${server}  unusable: ${visible(listed.unusable)}`
  const { record, waiting } = listed.review
  const pinned = `${counted(record.tools.size, 'tool')}, first pinned ${new Date(record.recordedAt).toISOString()}`
  if (waiting.length === 0) return `${server}  ${pinned}`
  return `${server}  ${pinned}; ${waiting.length} to review: holdpoint pins review ${server}`
}
