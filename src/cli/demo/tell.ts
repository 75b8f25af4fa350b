/** Tells the story to a person at a terminal. */
import { dirname } from 'node:path'
import { visible } from '../../bytes/visible.ts'
import { homely } from '../context.ts'
import { type Terminal, wrap } from '../terminal.ts'
import { placeOf } from '../verify-words.ts'
import type { Evidence } from './evidence.ts'
import type { SceneTold } from './story.ts'
import type { CallTold } from './witness.ts'
import { TIMEOUT_MS } from './world.ts'

const MARGIN = 12
const WIDEST = 110

/** What there is to tell, in the order of the story. */
export interface Teller {
  opening(model: string): void
  scene(title: string): void
  call(told: CallTold): void
  sent(told: SceneTold): void
  /** The receipts, and what to do with them; the command that verifies them is the very last line. */
  closing(evidence: Evidence, commands: { readonly why: string; readonly verify: string }): void
}

/** A teller for one terminal. `base` is cut from paths, so that they fit; `root` is the folder that the agent may work in. */
export function teller(terminal: Terminal, base: string, root: string): Teller {
  const { out, style } = terminal
  const width = Math.min(terminal.width, WIDEST)
  const short = (text: string): string =>
    visible(text).replaceAll('context.environment.root', root).replaceAll(`${base}/`, '')
  const paragraph = (text: string): void => out(wrap(text, width))
  const folded = (text: string): string => `${' '.repeat(MARGIN)}${wrap(text, width - MARGIN, MARGIN)}`
  const under = (text: string): void => out(folded(text))
  const underBoth = (left: string, right: string): void => {
    const fits = MARGIN + left.length + 2 + right.length <= width
    for (const line of fits ? [`${left}  ${right}`] : [left, right]) out(style('dim', folded(line)))
  }
  const verdict = (good: boolean, text: string): void =>
    out(`  ${good ? style('green', '✓') : style('red', '✗')} ${wrap(text, width - 4, 4)}`)
  let scenes = 0

  return {
    opening(model) {
      out(style('bold', 'holdpoint demo'))
      paragraph(
        `An agent (AI SDK, ${model}) works through the real @modelcontextprotocol/server-filesystem. The gate stands between them: what it refuses is never sent to the server.`,
      )
      out(style('dim', wrap(`It may work in ${homely(root)} and nowhere else.`, width)))
    },
    scene(title) {
      scenes += 1
      out('')
      out(style('bold', wrap(`${scenes}  ${title}`, width, 3)))
    },
    call(told) {
      if (told.before !== undefined) out(`  ${style('dim', told.before)}`)
      const given = argumentsOf(told.input, short)
      const room = width - MARGIN - told.tool.length - 2
      out(
        `  ${markOf(told, style)} ${style('bold', visible(told.tool))}${given !== '' && given.length <= room ? `  ${given}` : ''}`,
      )
      if (given.length > room) under(given)
      for (const line of reasonsOf(told, short)) under(line)
      underBoth(`${told.materiality}, ${becauseOf(told)}`, `receipt ${told.receipt ?? 'none'}`)
    },
    sent({ calls, frames }) {
      const decided = calls.filter((told) => !told.asked).length
      if (frames === 0) under('None of this reached the server.')
      else if (frames === decided) under(decided === 1 ? 'It reached the server.' : 'All of this reached the server.')
      else under(`Only ${frames === 1 ? 'one call' : `${frames} calls`} reached the server.`)
    },
    closing({ path, report, tampered }, commands) {
      const [failure] = tampered.report.failures
      out('')
      out(style('bold', `${scenes + 1}  The receipts`))
      verdict(report.ok, `${report.verified} of ${report.count} verify, with the public key alone`)
      verdict(
        !tampered.report.ok,
        tampered.report.ok
          ? `a copy in which ${tampered.change} was not noticed`
          : `a copy in which ${tampered.change} does not: ${failure === undefined ? '' : `${placeOf(failure)}: ${failure.why}`}`,
      )
      out('')
      paragraph(`Receipts, policy and configuration are left in ${dirname(path)}. Why the last call was refused:`)
      out(commands.why)
      paragraph('Verify the receipts yourself:')
      out(commands.verify)
    },
  }
}

function markOf(told: CallTold, style: Terminal['style']): string {
  if (told.asked) return style('yellow', '? asked  ')
  if (told.refusal !== undefined) return style('red', '✗ refused')
  return told.failedOpen ? style('yellow', '! ran    ') : style('green', '✓ ran    ')
}

function becauseOf({ asked, failedOpen, policies, refusal }: CallTold): string {
  if (asked) return 'waits for a person'
  if (refusal !== undefined) return refusal.code
  return failedOpen ? 'let through by failMode.low' : `permitted by ${policies.join(', ')}`
}

function reasonsOf({ refusal, ms, failedOpen }: CallTold, short: (text: string) => string): readonly string[] {
  const waited = `${Math.round(ms)} ms after the call; the deadline is ${TIMEOUT_MS} ms`
  if (refusal === undefined) return failedOpen ? [`No policy answered: decided ${waited}.`] : []
  const constraints = refusal.constraints.map(({ path, requires, actual }) => {
    const was = actual === undefined ? '' : `, was ${short(actual)}`
    return `${path.slice(1).replaceAll('/', '.') || 'arguments'}: ${short(requires)}${was}`
  })
  return [
    short(refusal.message),
    ...constraints,
    ...(refusal.code === 'policy_timeout' ? [`Refused ${waited}.`] : []),
    ...(refusal.remedy.kind === 'request_approval' ? [`reference ${refusal.remedy.ref}`] : []),
  ]
}

function argumentsOf(input: unknown, short: (text: string) => string): string {
  if (typeof input !== 'object' || input === null) return ''
  const text = (value: unknown): string =>
    typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : JSON.stringify(value)
  return Object.entries(input)
    .map(([name, value]) => `${visible(name)} ${short(text(value))}`)
    .join('  ')
}
