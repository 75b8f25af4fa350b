/** `holdpoint pins accept`: tools may be called as they are listed now. */
import { Command } from 'commander'
import { counted } from '../../bytes/counted.ts'
import { type CommandContext, situationOf } from '../context.ts'
import { UnusableInput } from '../exit.ts'
import { tellWaiting, waitingAsJson } from './tell.ts'
import { pinsHere, type Review, reviewedDigest, reviewOf, type Waiting } from './waiting.ts'

interface Flags {
  readonly all?: true
  readonly reviewed?: string
  readonly config?: string
  readonly json?: true
}

export function acceptCommand({ terminal, end }: CommandContext): Command {
  return new Command('accept')
    .argument('<SERVER>', 'our own name of the server')
    .argument('[TOOL...]', 'the tools, as "pins review" names them')
    .option('--all', 'every tool of the server that waits')
    .option('--reviewed <DIGEST>', 'accept only what "pins review" showed under this digest; else exit 1')
    .option('--config <FILE>', 'the holdpoint.yaml whose words on tools count')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `\nAccepts what was listed last, and prints it. Without --reviewed that may be other than what you looked at, if the server has
listed its tools anew since. Running gates notice at the next call.

Examples:
  holdpoint pins accept files --reviewed 5f0c9a1be27d43608a1fd21c read_file
  holdpoint pins accept files --all`,
    )
    .action((server: string, tools: readonly string[], flags: Flags) => {
      if (tools.length === 0 && flags.all !== true) throw new UnusableInput('name the tools to accept, or say --all')
      if (tools.length > 0 && flags.all === true) throw new UnusableInput('name tools or say --all, not both')
      const situation = situationOf(flags.config)
      const review = reviewOf(situation, server)
      const accepted = flags.all === true ? review.waiting : chosen(review, tools)
      if (flags.reviewed !== undefined && flags.reviewed !== reviewedDigest(accepted)) {
        end(1)
        if (flags.json === true) terminal.out(JSON.stringify({ server, accepted: [], because: 'not_as_reviewed' }))
        else
          terminal.out(
            `Not accepted: what ${server} lists is not what was reviewed. Look again: holdpoint pins review ${server}`,
          )
        return
      }
      if (accepted.length > 0) pinsHere(situation).replace(withAccepted(review, accepted), review.stamp)
      if (flags.json === true) {
        terminal.out(JSON.stringify({ server, accepted: accepted.map(waitingAsJson) }))
        return
      }
      terminal.out(
        accepted.length === 0
          ? `Nothing waits of ${server}`
          : `Accepted ${counted(accepted.length, 'tool')} of ${server}`,
      )
      for (const one of accepted) {
        terminal.out('')
        tellWaiting(one, terminal)
      }
    })
}

function chosen({ server, waiting }: Review, tools: readonly string[]): readonly Waiting[] {
  const byName = new Map(waiting.map((one) => [one.tool, one]))
  const missing = tools.find((tool) => !byName.has(tool))
  if (missing === undefined) return waiting.filter(({ tool }) => tools.includes(tool))
  const others = waiting.length === 0 ? 'nothing does' : `${waiting.map(({ tool }) => tool).join(', ')} does`
  throw new UnusableInput(`${missing} of ${server} does not wait to be accepted: ${others}`)
}

function withAccepted({ record }: Review, accepted: readonly Waiting[]): Review['record'] {
  const pins = accepted.map(({ tool, seen: { digest, definition } }) => [tool, { digest, definition }] as const)
  return { ...record, tools: new Map([...record.tools, ...pins]) }
}
