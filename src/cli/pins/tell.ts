/** What waits of a server, in words and as data. */
import { brief } from '../../bytes/legible.ts'
import { type Terminal, wrap } from '../terminal.ts'
import { differenceOf } from './difference.ts'
import { type Review, reviewedDigest, type Waiting } from './waiting.ts'

/** Prints what has become of one tool. */
export function tellWaiting(waiting: Waiting, terminal: Terminal): void {
  const { out, style, width } = terminal
  const { tool, kind, pinned, seen } = waiting
  const state = kind === 'tool_changed' ? 'is not as it was pinned' : 'is new'
  out(`${style('bold', brief(tool))}  ${style('yellow', state)}`)
  out(`  materiality: ${wrap(tierOf(waiting), width - 15, 15)}`)
  for (const line of differenceOf(pinned?.definition, seen.definition, terminal)) out(line)
}

/** The same as data. */
export function waitingAsJson(waiting: Waiting): object {
  const { tool, kind, pinned, seen, seenAt } = waiting
  return {
    tool,
    kind,
    seenAt,
    reviewed: reviewedDigest([waiting]),
    ...(pinned === undefined ? {} : { pinned: sided(pinned) }),
    seen: sided(seen),
  }
}

export function reviewAsJson({ server, record, waiting }: Review): object {
  return {
    server,
    pinnedAt: record.recordedAt,
    tools: record.tools.size,
    waiting: waiting.map(waitingAsJson),
    ...(waiting.length === 0 ? {} : { reviewed: reviewedDigest(waiting) }),
  }
}

function sided({ digest, definition, tier }: Waiting['seen']): object {
  const { origin: _origin, ...said } = definition
  return { digest, materiality: tier.materiality, definition: said }
}

function tierOf({ pinned, seen }: Waiting): string {
  const { materiality, because } = seen.tier
  const was = pinned?.tier.materiality
  return `${was === undefined || was === materiality ? materiality : `was ${was}, becomes ${materiality}`} (${brief(because)})`
}
