/** `holdpoint policy show`: every policy in force as Cedar, with where it comes from. */
import { Command } from 'commander'
import { counted } from '../../bytes/counted.ts'
import { visible } from '../../bytes/visible.ts'
import { onlyServicesDecide } from '../../config/read.ts'
import { type LoadedPolicy, loadPolicies } from '../../policy/load.ts'
import { type CommandContext, homely, situationOf } from '../context.ts'

export function showCommand({ terminal, end }: CommandContext): Command {
  return new Command('show')
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nWhat is printed is Cedar: as a policy file it means the same.\n\nExample:\n  holdpoint policy show',
    )
    .action((flags: { config?: string; json?: true }) => {
      const { config, policies: files } = situationOf(flags.config)
      if (onlyServicesDecide(config)) {
        const none = 'no policies are in force here: the services that "points" names decide'
        terminal.out(flags.json === true ? JSON.stringify({ policies: [] }) : terminal.style('dim', `// ${none}`))
        end(0)
        return
      }
      const { digest, policies } = loadPolicies(files)
      const inOrder = files.flatMap((file) => policies.filter((policy) => policy.file === file).sort(byOffset))
      if (flags.json === true) {
        terminal.out(JSON.stringify({ digest, policies: inOrder.map(asJson) }))
      } else {
        const { style } = terminal
        const origin = config.file === undefined ? 'no holdpoint.yaml here' : homely(config.file)
        terminal.out(
          style(
            'dim',
            `// ${counted(policies.length, 'policy', 'policies')} in force (${visible(origin)}), digest ${digest}`,
          ),
        )
        for (const { at, text } of inOrder) terminal.out(`\n${style('dim', `// ${visible(at)}`)}\n${plain(text)}`)
      }
      end(0)
    })
}

function byOffset(one: LoadedPolicy, other: LoadedPolicy): number {
  return one.offset - other.offset
}

/** Line by line, so that line ends stay what they are. */
function plain(text: string): string {
  return text
    .split('\n')
    .map((line) => visible(line))
    .join('\n')
}

function asJson({ id, effect, at, requires, refusal, text }: LoadedPolicy) {
  return {
    id,
    effect,
    at,
    ...(requires === undefined ? {} : { requires }),
    ...(refusal === undefined ? {} : { refusal }),
    text,
  }
}
