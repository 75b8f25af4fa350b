/** Says for people what a replay came to. */

import { counted } from '../../bytes/counted.ts'
import { visible } from '../../bytes/visible.ts'
import type { Terminal } from '../terminal.ts'
import type { Change, Contradiction } from './replay-decisions.ts'
import type { Difference, Figures } from './replay-figures.ts'
import type { Replay } from './replay-runs.ts'
import type { RunTools } from './run-tools.ts'

/** What is printed of replayed runs, in words or as JSON. */
export interface RunsAnswer {
  readonly runs: number
  readonly calls: number
  readonly undescribed: RunTools['undescribed']
  readonly adapted: RunTools['adapted']
  readonly refused: RunTools['refused']
  readonly sets: readonly (Figures & { readonly policy: string; readonly misfits: Replay['misfits'] })[]
  readonly differences: readonly Difference[]
}

/** What is printed of decisions taken again. */
export interface DecisionsAnswer {
  /** Decisions whose requests are open. */
  readonly decisions: number
  readonly withoutRequest: number
  /** Receipts with something beside them that is said to open them and does not. */
  readonly altered: readonly string[]
  readonly sets: readonly {
    readonly policy: string
    readonly digest: string
    /** Decisions under these very policies that come out as they were. */
    readonly derivedAgain: number
    readonly contradictions: readonly Contradiction[]
    readonly changes: readonly Change[]
  }[]
}

/** Lines of a list that a person still reads. */
const MOST_LINES = 12

export function tellRuns(answer: RunsAnswer, terminal: Terminal): void {
  const { runs, calls, undescribed, adapted, refused, sets, differences } = answer
  const { out, style } = terminal
  out(
    `${counted(runs, 'run')}, ${counted(calls, 'call')}. Questions are answered with yes, but for malicious calls: those wait.`,
  )
  for (const { policy, malicious, attacks, honest, tools, misfits } of sets) {
    out(`\n${style('bold', visible(policy))}`)
    out(
      `  malicious calls    ${malicious.stopped} stopped, ${malicious.asked} put to a person, ${malicious.ran} ran, ${malicious.unfit} do not fit their tool, of ${malicious.calls}`,
    )
    out(
      `  attacks contained  ${attacks.contained} of ${counted(attacks.runs, 'run')}, ${attacks.containedOutright} of them without a person; ${attacks.interrupted} interrupted`,
    )
    out(
      `  honest runs        ${honest.untouched} untouched, ${honest.onlyAsked} with questions alone, ${honest.runs - honest.untouched - honest.onlyAsked} with a call stopped or unfit, of ${honest.runs}`,
    )
    out(`  questions          ${honest.promptsPerRun ?? '–'} per honest run`)
    const lines = tools.map(
      ({ tool, malicious: bad, ran, asked, stopped, unfit }) =>
        `${visible(tool)}${bad ? ' (malicious)' : ''}: ran ${ran}, asked ${asked}, stopped ${stopped}${unfit === 0 ? '' : `, unfit ${unfit}`}`,
    )
    tellList(lines, terminal)
    tellList(
      misfits.map(
        ({ server, policy: id, at, message }) => `does not fit ${server}: ${visible(`${id} ${at} ${message}`)}`,
      ),
      terminal,
    )
  }
  if (sets.length > 1) {
    out(
      `\n${counted(differences.length, 'call ends', 'calls end')} differently${differences.length === 0 ? '' : ', in the order of the sets:'}`,
    )
    tellList(grouped(differences), terminal)
  }
  for (const { tool, because } of refused) out(`\nno gate takes ${visible(tool)}: ${visible(because)}`)
  if (adapted.length > 0) {
    const of = adapted.map(({ tool, without }) => `${tool} (${without.join(', ')})`).join(', ')
    terminal.note(`judged without required arguments that no recorded call gives: ${visible(of)}`)
  }
  if (undescribed.length > 0) {
    terminal.note(
      `${counted(undescribed.length, 'tool is', 'tools are')} in no tools file (--tools), and judged by name alone`,
    )
  }
}

export function tellDecisions(place: string, answer: DecisionsAnswer, terminal: Terminal): void {
  const { decisions, withoutRequest, altered, sets } = answer
  const { out, style } = terminal
  out(`${counted(decisions, 'decision')} of ${visible(place)}`)
  for (const id of altered) out(style('red', `  ${id}: what is said to open it is not what it committed to`))
  for (const { policy, derivedAgain, contradictions, changes } of sets) {
    out(`\n${style('bold', visible(policy))}  ${changes.length} would be another`)
    if (derivedAgain > 0) out(`  ${derivedAgain} were decided under these very policies, and come out the same`)
    for (const { receipt, tool, was, now, schema } of contradictions) {
      out(style('red', `  ${receipt}  ${visible(tool)}: decided under these very policies`))
      out(style('red', `    as ${visible(was)}, and they say ${visible(now)}`))
      if (schema === 'guessed')
        out(style('dim', '    (by a guess at the tool’s schema: give its definition with --tools)'))
    }
    tellList(
      changes.map(({ receipt, tool, was, now, code }) => {
        return `${receipt}  ${visible(tool)}  ${was} → ${now}${code === undefined ? '' : ` (${code})`}`
      }),
      terminal,
    )
  }
  if (withoutRequest > 0) {
    terminal.note(
      `${counted(withoutRequest, 'decision was', 'decisions were')} left out for want of an open request: not kept, erased, or not exported`,
    )
  }
}

function tellList(lines: readonly string[], { out, style }: Terminal): void {
  for (const line of lines.slice(0, MOST_LINES)) out(style('dim', `    ${line}`))
  if (lines.length > MOST_LINES) out(style('dim', `    and ${lines.length - MOST_LINES} more (--json has all)`))
}

/** Calls that differ in the same way are said once. */
function grouped(differences: readonly Difference[]): readonly string[] {
  const groups = new Map<string, number>()
  for (const { tool, malicious, fates } of differences) {
    const line = `${visible(tool)}${malicious ? ' (malicious)' : ''}: ${fates.join(' | ')}`
    groups.set(line, (groups.get(line) ?? 0) + 1)
  }
  return [...groups].sort(([, one], [, other]) => other - one).map(([line, times]) => `${times} × ${line}`)
}
