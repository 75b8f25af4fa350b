/** `holdpoint pins review`: what do servers list now that is not as it was pinned? */
import { Command } from 'commander'
import { counted } from '../../bytes/counted.ts'
import { type CommandContext, situationOf } from '../context.ts'
import type { Terminal } from '../terminal.ts'
import { reviewAsJson, tellWaiting } from './tell.ts'
import { pinsHere, type Review, reviewedDigest, reviewOf } from './waiting.ts'

export function reviewCommand({ terminal, end }: CommandContext): Command {
  return new Command('review')
    .argument('[SERVER]', 'our own name of the server (default: all)')
    .option('--config <FILE>', 'the holdpoint.yaml whose words on tools count')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `\nShows what was listed last. Exits 1 when something waits, 0 when nothing does.

Example:
  holdpoint pins review files`,
    )
    .action((server: string | undefined, flags: { config?: string; json?: true }) => {
      const situation = situationOf(flags.config)
      const servers = server === undefined ? pinsHere(situation).servers() : [server]
      const reviews = servers.map((one) => reviewOf(situation, one))
      end(reviews.some(({ waiting }) => waiting.length > 0) ? 1 : 0)
      if (flags.json === true) {
        terminal.out(JSON.stringify({ servers: reviews.map(reviewAsJson) }))
        return
      }
      if (reviews.length === 0) terminal.out('Nothing is pinned here')
      for (const review of reviews) tellReview(review, terminal)
    })
}

/** UNTRUSTED: a tool may be called `--all`. */
function argumentOf(tool: string): string {
  return tool.startsWith('-') ? `-- ${tool}` : tool
}

function tellReview({ server, record, waiting }: Review, terminal: Terminal): void {
  const { out, style } = terminal
  const [first] = waiting
  if (first === undefined) {
    out(`${style('bold', server)}: nothing waits; ${counted(record.tools.size, 'tool')} pinned`)
    return
  }
  const seen = new Date(first.seenAt).toISOString()
  const wait = waiting.length === 1 ? 'waits' : 'wait'
  out(`${style('bold', server)}: ${counted(waiting.length, 'tool')} ${wait}, refused meanwhile; listed ${seen}`)
  for (const one of waiting) {
    out('')
    tellWaiting(one, terminal)
    out(style('dim', `  holdpoint pins accept ${server} --reviewed ${reviewedDigest([one])} ${argumentOf(one.tool)}`))
  }
  if (waiting.length === 1) return
  out('')
  out(style('dim', `all of it: holdpoint pins accept ${server} --all --reviewed ${reviewedDigest(waiting)}`))
}
