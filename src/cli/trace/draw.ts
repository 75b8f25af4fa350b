/** Draws a trace for a terminal: its steps one below the other, what each had seen, and what became of each call. */
import { counted } from '../../bytes/counted.ts'
import { brief } from '../../bytes/legible.ts'
import { toolOf } from '../receipts.ts'
import type { Terminal } from '../terminal.ts'
import { dateOf } from '../when.ts'
import { fateOf, type Kind, MARK } from './fate.ts'
import type { Trace, TracedCall, TracedStep } from './traced.ts'

/** Calls that a person still reads. */
const MOST_SHOWN = 200
const LONGEST_NAME = 40
const MOST_NAMES = 4
const BRIEF = 12

const COLOUR = { ran: 'green', refused: 'red', asked: 'yellow', odd: 'yellow' } as const satisfies {
  readonly [kind in Kind]: string
}

/** Prints a trace. */
export function drawTrace(trace: Trace, terminal: Terminal): void {
  const { out, style } = terminal
  const calls = trace.steps.flatMap(({ calls: made }) => made)
  const began = Math.min(...calls.map(({ decision }) => decision.claims.ts))
  out(style('bold', `trace ${trace.id}`))
  out(summaryOf(trace, calls))
  out(`${whoOf(calls)}, from ${dateOf(began)}`)
  const namesWho = new Set(calls.map(whoMade)).size > 1
  let shown = 0
  for (const [index, step] of trace.steps.entries()) {
    if (shown >= MOST_SHOWN) break
    out('')
    out(style('dim', `step ${index + 1}${seenBy(step)}`))
    const room = step.calls.slice(0, MOST_SHOWN - shown)
    for (const [place, call] of room.entries()) {
      const isLast = place === step.calls.length - 1
      for (const line of linesOf(call, { began, isLast, namesWho }, terminal)) out(line)
    }
    shown += room.length
  }
  const rest = calls.length - shown
  if (rest > 0) out(`\nand ${counted(rest, 'more call')} (--json has them)`)
  if (trace.left > 0) out(`\n${counted(trace.left, 'call')} beyond the first ${calls.length} not read`)
  if (trace.unreadable > 0)
    out(style('yellow', `\n${counted(trace.unreadable, 'receipt')} cannot be read: run holdpoint verify`))
}

/** `3 calls in 2 steps: 2 ran, 1 refused; 1.204 s` */
function summaryOf({ steps, left }: Trace, calls: readonly TracedCall[]): string {
  const kinds = calls.map((call) => fateOf(call).kind)
  const words: readonly (readonly [Kind, string])[] = [
    ['ran', 'ran'],
    ['refused', 'refused'],
    ['asked', 'put to a person'],
    ['odd', 'to look at'],
  ]
  const counts = words.flatMap(([kind, word]) => {
    const count = kinds.filter((each) => each === kind).length
    return count === 0 ? [] : [`${count} ${word}`]
  })
  const number = calls.length + left
  return `${counted(number, 'call')} in ${counted(steps.length, 'step')}: ${counts.join(', ')}; ${duration(lengthOf(calls))}`
}

/** From the first decision to the last receipt, µs. Clocks of several gates may differ, so never less than nothing. */
function lengthOf(calls: readonly TracedCall[]): number {
  const times = calls.flatMap(({ decision, outcome }) => [decision.claims.ts, outcome?.claims.ts ?? decision.claims.ts])
  return Math.max(0, Math.max(...times) - Math.min(...times)) * 1_000
}

function seenBy({ after, elsewhere }: TracedStep): string {
  const known = after.length === 0 ? [] : [after.length > 12 ? `${after.length} calls` : after.join(', ')]
  const others = elsewhere === 0 ? [] : [counted(elsewhere, 'receipt that is not here', 'receipts that are not here')]
  const seen = [...known, ...others]
  return seen.length === 0 ? '' : `, after ${seen.join(' and ')}`
}

function linesOf(
  call: TracedCall,
  place: { readonly began: number; readonly isLast: boolean; readonly namesWho: boolean },
  { style }: Terminal,
): readonly [string, string] {
  const { number, decision, outcome } = call
  const { claims } = decision
  const { kind, ruling, ending } = fateOf(call)
  const who = place.namesWho ? `  (${brief(whoMade(call), LONGEST_NAME)})` : ''
  const ended = ending === undefined ? '' : ` → ${ending}`
  const said = `${brief(ruling, LONGEST_NAME * 2)}${ended}`
  const head = `${place.isLast ? '└─' : '├─'} ${number} ${style(COLOUR[kind], MARK[kind])} `
  const indent = `${place.isLast ? '  ' : '│ '}${' '.repeat(String(number).length + 4)}`
  const times = [
    `+${duration((claims.ts - place.began) * 1_000)}`,
    ...(claims.pdp === undefined ? [] : [`decided in ${duration(claims.pdp.us)}`]),
    ...(outcome?.claims.us === undefined ? [] : [`${duration(outcome.claims.us)} in all`]),
  ]
  const receipts = [decision.id, outcome?.id].flatMap((id) => (id === undefined ? [] : [id.slice(0, BRIEF)]))
  return [
    `${head}${style('bold', brief(toolOf(claims), LONGEST_NAME))}  ${claims.materiality}  ${style(COLOUR[kind], said)}${who}`,
    style('dim', `${indent}${times.join(', ')}  ${receipts.join(' → ')}`),
  ]
}

function whoOf(calls: readonly TracedCall[]): string {
  const all = [...new Set(calls.map(whoMade))]
  const named = all.slice(0, MOST_NAMES).map((who) => brief(who, LONGEST_NAME))
  return all.length > MOST_NAMES ? `${named.join(', ')} and ${all.length - MOST_NAMES} more` : named.join(', ')
}

/** `user ada through support` */
function whoMade({ decision }: TracedCall): string {
  const { principal, agent } = decision.claims
  return `${principal.type} ${principal.id}${agent === undefined ? '' : ` through ${agent}`}`
}

/** Microseconds as people read them: `0.4 ms`, `12 ms`, `1.204 s`. */
function duration(us: number): string {
  if (us >= 1_000_000) return `${(us / 1_000_000).toFixed(3)} s`
  return us >= 10_000 || us === 0 ? `${Math.round(us / 1_000)} ms` : `${(us / 1_000).toFixed(1)} ms`
}
